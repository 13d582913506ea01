import { ITEM_LIMIT_BYTES, itemSizeBytes } from '../../../runtime/store/item-size';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';
import { PutCommand } from '@aws-sdk/lib-dynamodb';

let world: StoreWorld;
beforeAll(async () => void (world = await startStoreWorld()));
afterAll(() => world.close());

test.each([
  ['ascii text', 'abc', 3],
  ['text of several bytes a letter', 'äß€', 7],
  ['a number, as the largest one', 1, 21],
  ['true', true, 1],
  ['null', null, 1],
  ['undefined, which is not written', undefined, 0],
  ['a list', ['ab', 'c'], 3 + 2 + 3],
  ['a map', { ab: 'c' }, 3 + 3 + 1],
])('The size of %s', (_, value, size) => {
  expect(itemSizeBytes(value)).toBe(size);
});

test('The largest item that counts as small enough is taken by the store, the next one is not', async () => {
  const itemOf = (letters: number) => ({ callSid: 'CA1', itemKey: 'CALL', text: 'x'.repeat(letters) });
  const put = (letters: number) =>
    world.client.send(new PutCommand({ TableName: TABLE, Item: itemOf(letters) }));
  const room = ITEM_LIMIT_BYTES - itemSizeBytes(itemOf(0));
  await put(room);
  await expect(put(room + 64)).rejects.toMatchObject({ name: 'ValidationException' });
});
