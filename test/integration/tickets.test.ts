import type { Call } from '../../local/twilio/twilio-caller';
import { twilioSignatureOf } from '../../local/twilio/twilio-signature-of';
import { patternedAudio } from '../support/audio';
import { recordLog } from '../support/recorded-log';
import { mediaUrl, PACE, testWorld, type TestWorld } from '../support/test-world';
import { twoRelays } from '../support/two-relays';

const AUDIO = patternedAudio(1_000, 82);

/** The TwiML's parameters of a call that has come through `/voice`. */
async function parametersOf(call: Call): Promise<Readonly<Record<string, string>>> {
  await call.done;
  return call.streams[0]!.request.parameters;
}

/** A stream by somebody who knows a call, the signature of the media URL, and perhaps a ticket. */
function intrude(world: TestWorld, callSid: string, parameters: Readonly<Record<string, string>> = {}): Call {
  const stream = { url: mediaUrl(world), tracks: ['inbound'] as const, parameters };
  return world.call({ stream, callSid, audio: { inbound: AUDIO }, paceFactor: PACE });
}

const viaVoice = (world: TestWorld): Call => world.call({ audio: { inbound: AUDIO }, paceFactor: PACE });

test('a call through /voice has a ticket, which is in no log line and no item', async () => {
  const log = recordLog();
  const world = await testWorld({ logger: log.logger });
  const call = viaVoice(world);
  const { ticket = '' } = await parametersOf(call);
  const [, claims = '', signature = ''] = ticket.split('.');
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    sub: call.callSid,
    iss: expect.stringMatching(/^AC/) as string,
  });
  expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: 'stopped' });
  const stored = JSON.stringify(await world.readAfterDrain(call.callSid));
  for (const text of [stored, JSON.stringify(log.lines), JSON.stringify(world.sink.events)])
    expect([text.includes(claims), text.includes(signature)]).toEqual([false, false]);
});

test.each([
  ['without its ticket', 'no-ticket', () => ({})],
  ['with its ticket again', 'used-ticket', (ticket: string) => ({ ticket })],
  ['with a ticket that is cut short', 'bad-ticket', (ticket: string) => ({ ticket: ticket.slice(0, -1) })],
])('a second stream of such a call %s is refused, and the first goes on', async (_what, reason, with_) => {
  const world = await testWorld();
  const call = world.call({ audio: { inbound: AUDIO }, behaviour: { end: 'never' }, paceFactor: PACE });
  await world.sink.next('audio-started', call.callSid);
  const { ticket = '' } = call.streams[0]!.request.parameters;
  const intruder = intrude(world, call.callSid, with_(ticket));
  await intruder.done;
  expect(world.relay.metrics.value('requestsRefused', reason)).toBe(1);
  expect(world.sink.of('leg-started', call.callSid)).toHaveLength(1);
  expect(world.sink.of('leg-ended', call.callSid)).toEqual([]);
  call.hangUp();
  expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: 'stopped' });
});

test('the ticket of one call is no good for another', async () => {
  const world = await testWorld();
  const call = viaVoice(world);
  const intruder = intrude(world, `CA${'e'.repeat(32)}`, await parametersOf(call));
  await intruder.done;
  expect(world.relay.metrics.value('requestsRefused', 'bad-ticket')).toBe(1);
  expect(world.sink.of('leg-started', intruder.callSid)).toEqual([]);
});

test('whoever has seen a form of /voice and a signed upgrade gets no second stream by sending both again', async () => {
  const world = await testWorld();
  const { accountSid, authToken } = world;
  const form = { CallSid: `CA${'d'.repeat(32)}`, AccountSid: accountSid };
  const signature = twilioSignatureOf({ authToken, url: `${world.publicUrl}/voice`, fields: form });
  const askVoice = async (): Promise<Readonly<Record<string, string>>> => {
    const request = { method: 'POST', headers: { 'x-twilio-signature': signature } };
    const url = `http://127.0.0.1:${world.relay.port}/voice`;
    const answer = await fetch(url, { ...request, body: new URLSearchParams(form) });
    return { ticket: /name="ticket" value="([^"]+)"/.exec(await answer.text())![1]! };
  };
  // Twilio had no answer in time, and asks again.
  await askVoice();
  const call = intrude(world, form.CallSid, await askVoice());
  expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: 'stopped' });
  await intrude(world, form.CallSid, await askVoice()).done;
  expect(world.relay.metrics.value('requestsRefused', 'used-ticket')).toBe(1);
  expect(world.sink.of('leg-started', form.CallSid)).toHaveLength(1);
});

test('a TwiML Bin has no ticket: taken when-issued, refused when required', async () => {
  const world = await testWorld();
  const taken = world.callOneTrack(AUDIO);
  expect(await world.sink.summary(taken.callSid)).toMatchObject({ endReason: 'stopped' });
  const strict = await testWorld({ settings: { STREAM_TICKET: 'required' } });
  const refused = strict.callOneTrack(AUDIO);
  await refused.done;
  expect(strict.relay.metrics.value('requestsRefused', 'no-ticket')).toBe(1);
  const signed = viaVoice(strict);
  expect(await strict.sink.summary(signed.callSid)).toMatchObject({ endReason: 'stopped' });
});

test('switched off, /voice gives none', async () => {
  const world = await testWorld({ settings: { STREAM_TICKET: 'off' } });
  expect(await parametersOf(viaVoice(world))).not.toHaveProperty('ticket');
});

test('a table that is away costs no call', async () => {
  const world = await testWorld({ timing: { flushTimeoutMs: 100 } });
  await world.store.close();
  const call = viaVoice(world);
  expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: 'stopped' });
  expect(world.relay.metrics.value('ticketFaults', 'not-spent')).toBe(1);
  const bin = world.callOneTrack(AUDIO);
  expect(await world.sink.summary(bin.callSid)).toMatchObject({ endReason: 'stopped' });
  expect(world.relay.metrics.value('ticketFaults', 'not-looked-up')).toBe(1);
});

test('required: a lost stream is replaced by one with a ticket of its own, on whichever relay', async () => {
  const settings = { STREAM_TICKET: 'required' };
  const { relays, call: place, ownerOf } = await twoRelays({ settings });
  const call = place({ audio: { inbound: patternedAudio(6_000, 83) }, paceFactor: 3 });
  const owner = await ownerOf(call.callSid);
  call.streams[0]!.lose('reset');
  await Promise.race(relays.map(({ sink }) => sink.next('call-ended', call.callSid)));
  await Promise.all(relays.map(({ relay }) => relay.drain()));
  const tickets = call.streams.map(({ request }) => request.parameters['ticket']);
  expect(tickets).toHaveLength(2);
  expect(new Set(tickets).size).toBe(2);
  expect(tickets).not.toContain(undefined);
  for (const { relay } of relays) expect(relay.metrics.value('requestsRefused')).toBe(0);
  expect(owner.sink.of('leg-ended', call.callSid)[0]?.summary.endReason).toBe('stream-lost');
});

test('required: a live call is handed over', async () => {
  const {
    relays,
    balancer,
    call: place,
    ownerOf,
  } = await twoRelays({
    settings: { STREAM_TICKET: 'required' },
  });
  const call = place({ audio: { inbound: patternedAudio(8_000, 84) }, paceFactor: 2 });
  const owner = await ownerOf(call.callSid);
  balancer.deregister(owner.relay.port, { cutSockets: false });
  await owner.relay.drain();
  expect(owner.sink.of('leg-ended', call.callSid)[0]?.summary.endReason).toBe('handed-over');
  expect(relays.map(({ relay }) => relay.metrics.value('requestsRefused'))).toEqual([0, 0]);
  call.hangUp();
});

test('a stream that somebody begins by REST on such a call is refused, and the call keeps its own', async () => {
  const { relays, call: place, ownerOf, twilio } = await twoRelays();
  const call = place({ audio: { inbound: patternedAudio(8_000, 85) }, paceFactor: 1 });
  const owner = await ownerOf(call.callSid);
  const response = await fetch(
    `${twilio.apiUrl}/2010-04-01/Accounts/${twilio.accountSid}/Calls/${call.callSid}/Streams.json`,
    {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        Url: call.streams[0]!.request.url,
        Track: 'inbound_track',
        Name: 'by hand',
      }),
    },
  );
  expect(response.ok).toBe(true);
  await call.streams[1]!.done;
  expect(
    relays.reduce((sum, { relay }) => sum + relay.metrics.value('requestsRefused', 'no-ticket'), 0),
  ).toBe(1);
  expect(owner.sink.of('leg-ended', call.callSid)).toEqual([]);
  call.hangUp();
});
