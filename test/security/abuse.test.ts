import { ATTACKS, unexpectedEnds } from '../../local/abuse/wave';
import type { Fleet } from '../../local/fleet';
import { attack, expectWhole, placeGoodCalls, startAbusedRelay } from '../support/abused-relay';

/** Relays start as processes, and what waits for them says after 30 s what it waited for. */
jest.setTimeout(60_000);

const CALL_MS = 8_000;

let fleet: Fleet | undefined;
afterEach(() => fleet?.close());

test('every kind of hostile connection ends as it should, and three calls beside it are whole', async () => {
  fleet = await startAbusedRelay(CALL_MS);
  const calls = await placeGoodCalls(fleet, 3, CALL_MS);
  const report = await attack(fleet, { connections: ATTACKS.length * 4, perSecond: 200, holdMs: 2_000 });
  expect(Object.keys(report)).toHaveLength(ATTACKS.length);
  expect(unexpectedEnds(report)).toEqual([]);
  for (const call of calls) await expectWhole(fleet, call);
  expect(fleet.relays[0]!.isRunning).toBe(true);
});
