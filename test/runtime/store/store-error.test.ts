import { storeErrorHint, storeErrorKind, storeErrorName } from '../../../runtime/store/store-error';

const errorOf = (name: string, more: object = {}): Error => Object.assign(new Error('x'), { name }, more);
const answered = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

test.each([
  ['retry', 'a throttled table', errorOf('ProvisionedThroughputExceededException', answered(400))],
  ['retry', 'a throttled account', errorOf('ThrottlingException', answered(400))],
  ['retry', 'an error inside DynamoDB', errorOf('Anything', answered(500))],
  ['retry', 'a proxy that is busy', errorOf('Unknown', answered(429))],
  ['retry', 'a missing right', errorOf('Whatever', answered(403))],
  ['retry', 'a refused connection', errorOf('Error', { code: 'ECONNREFUSED' })],
  ['retry', 'a name that cannot be looked up', errorOf('Error', { code: 'EAI_AGAIN' })],
  ['retry', 'a request time-out', errorOf('TimeoutError')],
  ['retry', 'a request without an answer', errorOf('Error', { $metadata: { attempts: 1 } })],
  ['retry', 'an answer of 200 that is no JSON', errorOf('SyntaxError', answered(200))],
  ['refused', 'a condition that does not hold', errorOf('ConditionalCheckFailedException', answered(400))],
  ['rejected', 'a wrong item', errorOf('ValidationException', answered(400))],
  ['rejected', 'a request that is too large', errorOf('Unknown', answered(413))],
  ['rejected', 'a value without a DynamoDB type', errorOf('Error')],
  ['rejected', 'a mistake of ours', errorOf('TypeError', { code: 'ERR_INVALID_ARG_TYPE' })],
  ['rejected', 'something that is no error', 'x'],
])('%s: %s', (kind, _, error) => {
  expect(storeErrorKind(error)).toBe(kind);
});

test('An error that waiting does not heal says what to do', () => {
  expect(storeErrorHint(errorOf('ResourceNotFoundException'))).toContain('TRANSCRIPTS_TABLE');
  expect(storeErrorHint(errorOf('ThrottlingException'))).toBeUndefined();
});

test.each([
  ['ECONNREFUSED', 'a refused connection', errorOf('Error', { code: 'ECONNREFUSED' })],
  ['ThrottlingException', 'an answer of AWS', errorOf('ThrottlingException', answered(400))],
  ['TypeError', 'a mistake of ours', errorOf('TypeError', { code: 'ERR_INVALID_ARG_TYPE' })],
  ['string', 'something that is no error', 'x'],
])('the log says %s for %s', (name, _, error) => {
  expect(storeErrorName(error)).toBe(name);
});
