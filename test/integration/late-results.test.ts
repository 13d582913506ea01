import { spokenAudio } from '../support/audio';
import { twoRelays } from '../support/two-relays';

const SPEECH = [0, 1].map((second) => ({ startMs: second * 1_000 + 300, endMs: second * 1_000 + 900 }));
const AUDIO = { inbound: spokenAudio(2_500, SPEECH, 1), outbound: spokenAudio(2_500, [], 2) };

test('a call whose final result could not be had at its end is reconciled when it can', async () => {
  const { relays, gladia, call: place, read } = await twoRelays({ recognition: { resultForMs: 100 } });
  const isResult = ({ method }: { method: string }): boolean => method === 'GET';
  const away = { when: isResult, times: Infinity, answer: { status: 503 } };
  gladia.faults.http.push(away);
  const call = place({ audio: AUDIO, paceFactor: 2 });
  const ends = () => relays.flatMap(({ sink }) => sink.of('call-ended', call.callSid));
  await Promise.race(relays.map(({ sink }) => sink.next('call-ended', call.callSid)));
  expect(ends()).toMatchObject([{ legs: [{ reconciled: false }] }]);
  gladia.faults.http.length = 0;
  await Promise.race(
    relays.map(({ sink }) => sink.until(() => ends().find(({ legs }) => legs[0]?.reconciled))),
  );
  await Promise.all(relays.map(({ relay }) => relay.drain()));
  const { call: item, sessions, segments } = await read(call.callSid);
  expect(item).toMatchObject({ status: 'completed', reconciled: true, segmentCount: segments.length });
  expect(item.ledger?.tracks.inbound).toMatchObject({ unconfirmedMs: 0 });
  expect(sessions).toMatchObject([{ reconciled: true, status: 'closed' }]);
  expect(segments.length).toBeGreaterThan(0);
});
