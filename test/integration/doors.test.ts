import { patternedAudio } from '../support/audio';
import { twoRelays } from '../support/two-relays';
import { twilioSignature } from '../../runtime/twilio/twilio-signature';
import { testWorld, type TestWorld } from '../support/test-world';
import { WsPeer } from '../support/ws-peer';

const AUDIO = patternedAudio(600, 81);

function ask(port: number, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, init);
}

const FORM: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ CallSid: `CA${'1'.repeat(32)}`, From: '+15005550101' }).toString(),
};

describe('the signature', () => {
  test.each(['/voice', '/stream-status'])('is asked for at %s', async (path) => {
    const { relay } = await testWorld();
    const answer = await ask(relay.port, path, FORM);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toBe('');
    const forged = await ask(relay.port, path, {
      ...FORM,
      headers: { ...FORM.headers, 'x-twilio-signature': 'bm8=' },
    });
    expect(forged.status).toBe(403);
    expect(relay.metrics.value('requestsRefused', 'no-signature')).toBe(1);
    expect(relay.metrics.value('requestsRefused', 'bad-signature')).toBe(1);
  });

  test.each([
    ['none', 'no-signature'],
    ['wrong token', 'bad-signature'],
  ] as const)('of a stream, %s, refuses it with 403', async (signature, reason) => {
    const world = await testWorld();
    const call = world.callOneTrack(AUDIO, { behaviour: { signature } });
    expect(await call.done).toMatchObject({ end: 'refused' });
    expect(call.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 403 });
    expect(world.relay.metrics.value('requestsRefused', reason)).toBe(1);
    expect(world.gladia.sessions).toHaveLength(0);
  });

  test('of a wrong webhook costs the call its TwiML', async () => {
    const world = await testWorld();
    const call = world.call({ authToken: 'another-token', audio: { inbound: AUDIO } });
    expect(await call.done).toMatchObject({ end: 'webhook failed' });
    expect(world.gladia.sessions).toHaveLength(0);
  });

  test('of the next token is taken too', async () => {
    const world = await testWorld({ settings: { TWILIO_AUTH_TOKEN: 'current-token, next-token' } });
    for (const authToken of ['current-token', 'next-token']) {
      const call = world.callOneTrack(AUDIO, { authToken });
      await world.sink.summary(call.callSid);
    }
  });

  test('is not asked for with ALLOW_UNSIGNED_STREAMS', async () => {
    const world = await testWorld({ settings: { ALLOW_UNSIGNED_STREAMS: 'true', TWILIO_AUTH_TOKEN: '' } });
    const call = world.callOneTrack(AUDIO, { behaviour: { signature: 'none' } });
    expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: 'stopped' });
  });

  test('without a token to check it with refuses, too', async () => {
    const world = await testWorld({ settings: { TWILIO_AUTH_TOKEN: '' } });
    const call = world.callOneTrack(AUDIO);
    await call.done;
    expect(call.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 403 });
    expect(world.relay.metrics.value('requestsRefused', 'no-credentials')).toBe(1);
  });
});

describe('MAX_CALLS', () => {
  test('refuses one more stream with 503, and takes it once a call is over', async () => {
    const world = await testWorld({ settings: { MAX_CALLS: '1' } });
    const first = world.callOneTrack(AUDIO, { behaviour: { end: 'never' } });
    await world.sink.next('audio-started', first.callSid);
    const second = world.callOneTrack(AUDIO);
    await second.done;
    expect(second.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 503 });
    expect(world.relay.metrics.value('requestsRefused', 'full')).toBe(1);
    first.hangUp();
    await world.sink.summary(first.callSid);
    const third = world.callOneTrack(AUDIO);
    expect(await world.sink.summary(third.callSid)).toMatchObject({ endReason: 'stopped' });
  });

  test('is told to nobody who has no signature', async () => {
    const world = await testWorld({ settings: { MAX_CALLS: '1' } });
    const first = world.callOneTrack(AUDIO, { behaviour: { end: 'never' } });
    await world.sink.next('audio-started', first.callSid);
    const second = world.callOneTrack(AUDIO, { behaviour: { signature: 'none' } });
    await second.done;
    expect(second.events.seen).toContainEqual({ type: 'refused', code: 31920, status: 403 });
    expect(world.relay.metrics.value('requestsRefused', 'full')).toBe(0);
  });

  test('does not count a call whose last words are still on their way', async () => {
    const world = await testWorld({ settings: { MAX_CALLS: '1' } });
    world.gladia.faults.sessions = { loseStop: true };
    const first = world.callOneTrack(AUDIO);
    await first.done;
    const second = world.callOneTrack(AUDIO);
    expect(await second.done).toMatchObject({ end: 'stopped' });
    expect(world.sink.of('leg-ended', first.callSid)).toHaveLength(0);
    world.gladia.faults.sessions = {};
  });
});

test('a stream that is played again, while it lives or when it is over, is refused', async () => {
  const world = await testWorld();
  const first = world.callOneTrack(AUDIO, { behaviour: { end: 'never' } });
  const { callSid, streamSid } = first;
  await world.sink.next('audio-started', callSid);
  await world.callOneTrack(AUDIO, { callSid, streamSid }).done;
  first.hangUp();
  await world.sink.next('leg-ended', callSid);
  await world.callOneTrack(AUDIO, { callSid, streamSid }).done;
  expect(world.relay.metrics.value('requestsRefused', 'known-stream')).toBe(2);
  expect(world.sink.of('leg-started', callSid)).toHaveLength(1);
});

describe('limits of cost', () => {
  test('MAX_CALLS_PER_ACCOUNT refuses one more call, which is no other leg of one', async () => {
    const world = await testWorld({ settings: { MAX_CALLS_PER_ACCOUNT: '1' } });
    const first = world.callOneTrack(AUDIO, { behaviour: { end: 'never' } });
    await world.sink.next('audio-started', first.callSid);
    const second = world.callOneTrack(AUDIO);
    await second.done;
    expect(world.relay.metrics.value('requestsRefused', 'account-full')).toBe(1);
    const third = world.callOneTrack(AUDIO, { callSid: first.callSid });
    await world.sink.until(() => world.sink.of('leg-started', first.callSid)[1]);
    first.hangUp();
    third.hangUp();
  });

  test.each([
    ['idle', { MEDIA_TIMEOUT_MS: '1000' }],
    ['too-long', { MAX_CALL_MS: '1000' }],
  ])('a call that is %s ends so in the table, also where Twilio is not asked', async (reason, settings) => {
    const world = await testWorld({ settings });
    const call = world.callOneTrack(reason === 'idle' ? AUDIO : patternedAudio(30_000, 86), {
      behaviour: { end: 'never' },
    });
    expect(await world.sink.summary(call.callSid)).toMatchObject({ endReason: reason });
    await world.sink.next('call-ended', call.callSid);
    expect(world.relay.metrics.value('legsEnded', reason)).toBe(1);
    const { call: stored } = await world.readAfterDrain(call.callSid);
    expect(stored).toMatchObject({ status: 'completed', endReason: reason });
    call.hangUp();
  });

  test('Twilio is asked to stop the stream, and nobody makes a new one', async () => {
    const { relays, call: place, ownerOf } = await twoRelays({ settings: { MEDIA_TIMEOUT_MS: '1000' } });
    const call = place({ audio: { inbound: AUDIO }, paceFactor: 4, behaviour: { end: 'never' } });
    const owner = await ownerOf(call.callSid);
    expect((await owner.sink.summary(call.callSid)).endReason).toBe('idle');
    expect(await call.streams[0]!.done).toBe('stopped by request');
    call.hangUp();
    expect((await owner.sink.next('call-ended', call.callSid)).endReason).toBe('idle');
    expect(call.streams).toHaveLength(1);
    expect(relays.map(({ relay }) => relay.metrics.value('streamsReattached'))).toEqual([0, 0]);
  });

  test('MAX_MESSAGE_BYTES, MAX_BODY_BYTES and MAX_HEADER_BYTES hold', async () => {
    const settings = { MAX_MESSAGE_BYTES: '4096', MAX_BODY_BYTES: '8192', MAX_HEADER_BYTES: '8192' };
    const { relay, publicUrl, authToken } = await testWorld({ settings });
    const big = await ask(relay.port, '/voice', { method: 'POST', body: 'x'.repeat(8_193) });
    expect([big.status, relay.metrics.value('requestsRefused', 'body-too-large')]).toEqual([413, 1]);
    const long = await ask(relay.port, '/voice', {
      method: 'POST',
      headers: { 'x-long': 'x'.repeat(8_192) },
    });
    expect([long.status, relay.metrics.value('requestsRefused', 'header-too-large')]).toEqual([431, 1]);
    const signature = twilioSignature(authToken, `${publicUrl.replace('https', 'wss')}/media`);
    const peer = await WsPeer.connect(`ws://127.0.0.1:${relay.port}/media`, {
      headers: { 'x-twilio-signature': signature },
    });
    peer.send('x'.repeat(4_097));
    expect((await peer.closed()).code).toBe(1009);
    expect(relay.metrics.value('twilioMessagesIgnored', 'too-large')).toBe(1);
  });
});

describe('elsewhere', () => {
  test.each([
    ['GET', '/voice'],
    ['GET', '/ready'],
    ['GET', '/metrics'],
    ['GET', '/'],
    ['POST', '/health'],
    ['GET', '/.env'],
    ['DELETE', '/stream-status'],
  ])('%s %s on the public port is 404 with nothing to read', async (method, path) => {
    const { relay } = await testWorld();
    const answer = await ask(relay.port, path, { method });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('');
    expect(relay.metrics.value('requestsRefused', 'not-found')).toBe(1);
  });

  test.each(['/health', '/voice', '/media', '/'])('%s on the admin port is 404', async (path) => {
    const { relay } = await testWorld();
    expect((await ask(relay.adminPort, path)).status).toBe(404);
  });

  test.each(['/', '/voice', '/media2'])('an upgrade of %s is 404', async (path) => {
    const { relay } = await testWorld();
    await expect(WsPeer.connect(`ws://127.0.0.1:${relay.port}${path}`)).rejects.toThrow('404');
  });

  test('an upgrade on the admin port is 404', async () => {
    const { relay } = await testWorld();
    await expect(WsPeer.connect(`ws://127.0.0.1:${relay.adminPort}/media`)).rejects.toThrow('404');
  });
});

describe('the admin port', () => {
  const readyOf = async ({ relay }: TestWorld): Promise<[number, string[]]> => {
    const answer = await ask(relay.adminPort, '/ready');
    const { reasons } = (await answer.json()) as { reasons: { reason: string; fix: string }[] };
    expect(reasons.every(({ fix }) => fix.length > 0)).toBe(true);
    return [answer.status, reasons.map(({ reason }) => reason)];
  };

  test('says ready when the next call would be transcribed', async () => {
    expect(await readyOf(await testWorld())).toEqual([200, []]);
  });

  test.each([
    ['no-gladia-key', { GLADIA_API_KEY: '' }],
    ['no-twilio-token', { TWILIO_AUTH_TOKEN: '' }],
    ['store-unreachable', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' }],
  ])('says %s, and the relay is healthy all the same', async (reason, settings) => {
    const world = await testWorld({ settings });
    expect(await readyOf(world)).toEqual([503, [reason]]);
    expect((await ask(world.relay.port, '/health')).status).toBe(200);
  });

  test('is ready for a table that a local store did not have: it is made', async () => {
    const world = await testWorld({ settings: { TRANSCRIPTS_TABLE: 'another-table' } });
    expect(await readyOf(world)).toEqual([200, []]);
    const { callSid } = world.callOneTrack(AUDIO);
    await world.sink.next('call-ended', callSid);
    expect((await world.readAfterDrain(callSid)).call).toMatchObject({ status: 'completed' });
  });

  test('says every reason at once', async () => {
    const world = await testWorld({ settings: { GLADIA_API_KEY: '', TWILIO_AUTH_TOKEN: '' } });
    expect(await readyOf(world)).toEqual([503, ['no-gladia-key', 'no-twilio-token']]);
  });

  test('shows what a call has added to the metrics', async () => {
    const world = await testWorld();
    const call = world.callOneTrack(AUDIO);
    await world.sink.summary(call.callSid);
    const answer = await ask(world.relay.adminPort, '/metrics');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toMatch(/^callscript_audio_received_seconds_total 0\.6$/m);
    expect(text).toMatch(/^callscript_legs_ended_total\{reason="stopped"\} 1$/m);
    expect(text).toMatch(/^callscript_calls_live 0$/m);
  });
});

test('a call without a Gladia key waits for it, and is not failed', async () => {
  const world = await testWorld({ settings: { GLADIA_API_KEY: '', DRAIN_TIMEOUT_MS: '1000' } });
  const call = world.callOneTrack(AUDIO);
  await call.done;
  expect(world.gladia.requests).toHaveLength(0);
  expect(world.relay.metrics.value('callsFailed')).toBe(0);
});

test('/voice without anything that follows says what is missing, and streams nothing', async () => {
  const world = await testWorld({ settings: { VOICE_TWIML: '' } });
  const call = world.call({ audio: { inbound: AUDIO } });
  expect(await call.done).toMatchObject({ end: 'webhook failed' });
  expect(world.relay.metrics.value('requestsRefused', 'no-continuation')).toBe(1);
});

test.each([
  ['DIAL_NUMBER', '+15005550006', '<Dial'],
  ['VOICE_NEXT_URL', 'https://app.example.com/next?x=1', '<Redirect'],
])('%s is what follows the stream in /voice', async (setting, value, verb) => {
  const world = await testWorld({ settings: { VOICE_TWIML: '', [setting]: value } });
  const call = world.call({ audio: { inbound: AUDIO }, paceFactor: 4 });
  const { body } = await call.events.waitFor('webhook');
  expect(body).toContain(verb);
  await world.sink.summary(call.callSid);
  await call.done;
  expect(call.events.seen.filter(({ type }) => type === 'callback')).toEqual([
    { type: 'callback', streamEvent: 'stream-started', status: 204 },
    { type: 'callback', streamEvent: 'stream-stopped', status: 204 },
  ]);
});
