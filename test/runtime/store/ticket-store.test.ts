import { CallStoreError } from '../../../runtime/store/call-store-error';
import { TicketStore } from '../../../runtime/store/ticket-store';
import { startStoreWorld, TABLE, type StoreWorld } from '../../support/store-world';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
let world: StoreWorld;
const store = (timeoutMs = 20_000): TicketStore =>
  new TicketStore({
    client: world.client,
    tableName: TABLE,
    retentionDays: 30,
    wallNow: () => NOW,
    gatherMs: 5,
    timeoutMs,
  });

beforeEach(async () => {
  world = await startStoreWorld();
});
afterEach(() => world.close());

test('a ticket is used once, whoever asks, and known as used for as long as anything is kept', async () => {
  expect(await store().spend('one')).toBe(true);
  expect(await store().spend('one')).toBe(false);
  expect(await store().spend('two')).toBe(true);
  expect(await world.items('TICKET#one')).toEqual([
    { callSid: 'TICKET#one', itemKey: 'USED', expiresAt: NOW / 1000 + 30 * 24 * 3_600 },
  ]);
});

test('of many that ask at once one is the first', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => store().spend('one')));
  expect(answers.filter((isFirst) => isFirst)).toHaveLength(1);
});

test('sixty calls of one moment are noted with three requests, each for longer than a call lasts', async () => {
  const one = store();
  await Promise.all(Array.from({ length: 60 }, (_, n) => one.noteIssued(`CA${n}`)));
  expect(world.proxy.requests.map(({ operation }) => operation)).toEqual(Array(3).fill('BatchWriteItem'));
  expect(await store().wasIssued('CA59')).toBe(true);
  expect(await store().wasIssued('CA60')).toBe(false);
  expect((await world.item('TICKET#CA59', 'ISSUED'))?.['expiresAt']).toBe(NOW / 1000 + 25 * 3_600);
});

test('a call that is noted twice in one moment is one item', async () => {
  const one = store();
  await Promise.all([one.noteIssued('CA1'), one.noteIssued('CA1')]);
  expect(await one.wasIssued('CA1')).toBe(true);
});

test.each([{ type: 'stall' }, { type: 'throttle' }, { type: 'hang-up' }] as const)(
  'a table that answers with %j lets every question fail in time',
  async (fault) => {
    world.proxy.setFault(() => fault);
    await expect(store(300).spend('one')).rejects.toThrow(CallStoreError);
    await expect(store(300).wasIssued('CA1')).rejects.toThrow(CallStoreError);
    await expect(store(300).noteIssued('CA1')).rejects.toThrow(CallStoreError);
  },
);

test('notes that the table did not take all are a failure', async () => {
  world.proxy.setFault(() => ({ type: 'unprocessed', take: 1 }));
  const one = store();
  const notes = await Promise.allSettled([one.noteIssued('CA1'), one.noteIssued('CA2')]);
  expect(notes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
