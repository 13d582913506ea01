import { updateInput } from '../../../runtime/store/update-expression';

const key = { callSid: 'CA1', itemKey: 'CALL' };

test('Every part of an update is in the request, with aliases for names and values', () => {
  const input = updateInput('calls', {
    key,
    set: { status: 'completed', absent: undefined },
    setIfAbsent: { from: '+15005550006', to: undefined },
    setEntry: { path: ['legs', 'MZ1'], value: { a: 1 } },
    remove: ['url'],
    condition: {
      all: [
        { exists: 'status' },
        { any: [{ absent: ['legs', 'MZ1'] }, { attribute: 'n', is: '<', value: 3 }] },
      ],
    },
  });
  expect(input).toEqual({
    TableName: 'calls',
    Key: key,
    UpdateExpression: 'SET #n0 = :v0, #n1 = if_not_exists(#n1, :v1), #n2.#n3 = :v2 REMOVE #n4',
    ConditionExpression: '(attribute_exists(#n0) AND (attribute_not_exists(#n2.#n3) OR #n5 < :v3))',
    ExpressionAttributeNames: {
      '#n0': 'status',
      '#n1': 'from',
      '#n2': 'legs',
      '#n3': 'MZ1',
      '#n4': 'url',
      '#n5': 'n',
    },
    ExpressionAttributeValues: { ':v0': 'completed', ':v1': '+15005550006', ':v2': { a: 1 }, ':v3': 3 },
  });
});

test('An update that only removes has no values, which DynamoDB would refuse as empty', () => {
  expect(updateInput('calls', { key, remove: ['url'] })).not.toHaveProperty('ExpressionAttributeValues');
});
