import { patternedAudio } from '../support/audio';
import { recordLog } from '../support/recorded-log';
import { testWorld } from '../support/test-world';

const SCRIPT = { channels: [[{ startMs: 100, endMs: 400, text: 'First words.' }]] };

test('every line about a call, whatever goes wrong, has the sids of call and stream', async () => {
  const { logger, lines } = recordLog();
  const settings = { BACKLOG_CALL_MS: '4000', TRACKS: 'inbound' };
  const world = await testWorld({ script: () => SCRIPT, settings, logger });
  const isMint = ({ method }: { readonly method: string }): boolean => method === 'POST';
  const fault = { when: isMint, times: Infinity, answer: { status: 503 } };
  world.gladia.faults.http.push(fault);
  const call = world.callOneTrack(patternedAudio(16_000, 81));
  await world.gladia.waitFor(() => world.relay.metrics.value('audioDropped') > 0);
  fault.times = 0;
  await world.gladia.waitFor(() => (world.sessionsOf(call.callSid)[0]?.acceptedBytes ?? 0) > 8_000);
  world.sessionsOf(call.callSid)[0]!.cut('reset');
  await world.sink.summary(call.callSid);

  const ofCalls = lines.slice(lines.findIndex(({ msg }) => msg === 'Leg started'));
  const { callSid, streamSid } = call;
  for (const line of ofCalls) expect(line).toMatchObject({ callSid, streamSid });
  const told = [...new Set(ofCalls.map(({ msg, level }) => `${String(level)} ${String(msg)}`))];
  expect(told.toSorted()).toEqual([
    '30 Leg ended',
    '30 Leg started',
    '40 The speech service gave no session',
    '40 The speech socket was lost',
    '50 The backlog is full: the oldest audio of a call is dropped',
  ]);
});
