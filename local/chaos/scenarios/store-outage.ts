import { setTimeout as delay } from 'node:timers/promises';
import { audioLatency, type Latency } from '../audio-latency';
import type { Scenario } from '../scenario';
import type { Trial } from '../trial';

const CALLS = 50;
const OUTAGE_MS = 60_000;
const BEFORE_MS = 6_000;
const AFTER_MS = 6_000;
/** The calls last until they are hung up. */
const CALL_MS = OUTAGE_MS + 60_000;

/** Of the latency before; a busy machine is as late as it is before, during and after, more or less. */
function isUnchanged(before: Latency, { p50, p99 }: Latency): boolean {
  return p50 <= 2 * before.p50 + 40 && p99 <= 2 * before.p99 + 400;
}

function told({ p50, p99 }: Latency): string {
  return `${Math.round(p50)} ms (p99 ${Math.round(p99)} ms)`;
}

async function promiseUnhurried(trial: Trial, callSid: string): Promise<void> {
  const { call } = (await trial.fleet.read(callSid)) ?? {};
  const lateMs = call?.ledger?.tracks.inbound?.lateMs ?? NaN;
  trial.promise(lateMs === 0, `${lateMs} ms of call ${callSid} were accepted late`);
}

export const STORE_OUTAGE: readonly Scenario[] = [
  {
    name: 'store-down-for-a-minute',
    fault: `the table is down for ${OUTAGE_MS / 1_000} s in the middle of ${CALLS} calls on two relays`,
    promise: 'every segment arrives, once; audio takes as long to Gladia as before',
    perhapsAlarms: ['leases-failing'],
    async play(trial) {
      const fleet = await trial.start({ size: 2, settings: { TRACKS: 'inbound' } });
      const calls = await trial.heardCalls(CALLS, { ms: CALL_MS });
      // What had piled up until the sessions were open has come by then.
      await delay(2_000);
      const before = await audioLatency(trial, calls, delay(BEFORE_MS));
      fleet.store.switches.mode = 'down';
      const during = await audioLatency(trial, calls, delay(OUTAGE_MS));
      fleet.store.switches.mode = 'up';
      const after = await audioLatency(trial, calls, delay(AFTER_MS));
      const latencies = `${told(before)} before, ${told(during)} during and ${told(after)} after the outage`;
      trial.note(`audio took ${latencies}`);
      trial.promise(isUnchanged(before, during) && isUnchanged(before, after), `audio took ${latencies}`);
      for (const call of calls) call.hangUp();
      await trial.finish();
      for (const { callSid, streams } of calls) {
        await promiseUnhurried(trial, callSid);
        trial.promise(streams.length === 1, `call ${callSid} has ${streams.length} streams instead of 1`);
      }
    },
  },
];
