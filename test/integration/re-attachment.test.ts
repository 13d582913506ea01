import { spokenAudio } from '../support/audio';
import { coverage, twoRelays } from '../support/two-relays';

const CALL_MS = 10_000;
const SPEECH = [1, 3, 5, 7].map((second) => ({ startMs: second * 1_000, endMs: second * 1_000 + 900 }));
const AUDIO = { inbound: spokenAudio(CALL_MS, SPEECH, 1), outbound: spokenAudio(CALL_MS, [], 2) };

test.each(['reset', 'close without stop'] as const)(
  'a call whose stream is lost by %s gets a new one, and the seconds between are a gap',
  async (how) => {
    const { relays, call: place, ownerOf, read } = await twoRelays();
    // Between legs there is only the wall clock.
    const call = place({ audio: AUDIO, paceFactor: 1 });
    const owner = await ownerOf(call.callSid);
    await owner.sink.next('final', call.callSid);
    call.streams[0]!.lose(how);
    await Promise.race(relays.map(({ sink }) => sink.next('call-ended', call.callSid)));
    await Promise.all(relays.map(({ relay }) => relay.drain()));
    expect(call.streams.map(({ origin }) => origin)).toEqual(['twiml', 'rest']);
    const { missedMs } = coverage(call, CALL_MS);
    expect(missedMs).toBeGreaterThan(0);
    const { call: item, gaps, segments } = await read(call.callSid);
    expect(item).toMatchObject({ status: 'completed', segmentCount: segments.length });
    expect(Object.values(item.legs).map(({ endReason }) => endReason)).toEqual(
      expect.arrayContaining(['stream-lost', 'stopped']),
    );
    expect(gaps.map(({ cause, track }) => `${track} ${cause}`)).toEqual(
      expect.arrayContaining(['inbound stream-lost', 'outbound stream-lost']),
    );
    expect(gaps).toHaveLength(2);
  },
);

test('a stream that somebody stopped stays stopped, as in a PCI pause', async () => {
  const { twilio, call: place, ownerOf } = await twoRelays();
  const call = place({ audio: AUDIO, paceFactor: 2, behaviour: { end: 'never' } });
  const owner = await ownerOf(call.callSid);
  const response = await fetch(
    `${twilio.apiUrl}/2010-04-01/Accounts/${twilio.accountSid}/Calls/${call.callSid}/Streams/${call.streamSid}.json`,
    {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
      },
      body: new URLSearchParams({ Status: 'stopped' }),
    },
  );
  expect(response.ok).toBe(true);
  await owner.sink.next('leg-ended', call.callSid);
  await owner.relay.drain();
  expect(call.status).toBe('in-progress');
  expect(call.streams).toHaveLength(1);
  call.hangUp();
});

test('a stream that a full task refuses goes to another one', async () => {
  const { relays, call: place, balancer } = await twoRelays({ settings: { MAX_CALLS: '1' } });
  const [one, other] = relays;
  // The balancer sends everything to one task, until that refuses.
  balancer.deregister(other.relay.port, { cutSockets: false });
  const first = place({ audio: AUDIO, paceFactor: 2 });
  await one.sink.next('audio-started', first.callSid);
  const second = place({ audio: AUDIO, paceFactor: 2 });
  await second.events.next('fault');
  balancer.register(other.relay.port);
  balancer.deregister(one.relay.port, { cutSockets: false });
  await other.sink.next('audio-started', second.callSid);
  await other.sink.next('call-ended', second.callSid);
});

test('a second stream of a call that nobody announced replaces the first, on whichever task that is', async () => {
  const settings = { STREAM_TICKET: 'off' };
  const { relays, call: place, ownerOf, balancer, twilio } = await twoRelays({ settings });
  const call = place({ audio: AUDIO, paceFactor: 1 });
  const owner = await ownerOf(call.callSid);
  const other = relays.find((each) => each !== owner)!;
  balancer.deregister(owner.relay.port, { cutSockets: false });
  const { request } = call.streams[0]!;
  const response = await fetch(
    `${twilio.apiUrl}/2010-04-01/Accounts/${twilio.accountSid}/Calls/${call.callSid}/Streams.json`,
    {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
      },
      body: new URLSearchParams({ Url: request.url, Track: 'both_tracks', Name: 'by hand' }),
    },
  );
  expect(response.ok).toBe(true);
  await other.sink.next('audio-started', call.callSid);
  const { summary } = await owner.sink.next('leg-ended', call.callSid);
  expect(summary.endReason).toBe('replaced');
  await other.sink.next('call-ended', call.callSid);
  expect(call.streams).toHaveLength(2);
});

test('without REST a lost stream is written down, and the call ends', async () => {
  const { relays, call: place, ownerOf } = await twoRelays({ settings: { TWILIO_API_URL: '' } });
  const call = place({ audio: AUDIO, paceFactor: 2 });
  const owner = await ownerOf(call.callSid);
  call.streams[0]!.lose('reset');
  const { endReason } = await owner.sink.next('call-ended', call.callSid);
  expect(endReason).toBe('stream-lost');
  expect(relays.map(({ relay }) => relay.metrics.value('streamsReattached'))).toEqual([0, 0]);
  call.hangUp();
});
