import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaultyAnswer, FaultyRequest, HttpFault } from '../../local/gladia/faults';
import { patternedAudio } from '../support/audio';
import { ledgerOf, PACE, testWorld, type TestWorld } from '../support/test-world';

const CALL_MS = 2_000;
const AUDIO = patternedAudio(CALL_MS, 41);
const SCRIPT = {
  channels: [
    [
      { startMs: 100, endMs: 400, text: 'First words.' },
      { startMs: 1_400, endMs: 1_700, text: 'Last words.' },
    ],
  ],
};

const isPost = ({ method, path }: FaultyRequest): boolean => method === 'POST' && path === '/v2/live';

function refuse(world: TestWorld, answer: FaultyAnswer, times = Infinity): HttpFault {
  const fault = { when: isPost, times, answer };
  world.gladia.faults.http.push(fault);
  return fault;
}

function posts(world: TestWorld): number {
  return world.gladia.requests.filter(({ method }) => method === 'POST').length;
}

const PASSING: readonly (readonly [string, FaultyAnswer, string])[] = [
  ['429', { status: 429, headers: { 'retry-after': '1' } }, 'http-429'],
  ['408', { status: 408 }, 'http-408'],
  ['500', { status: 500 }, 'http-500'],
  ['503', { status: 503 }, 'http-503'],
  ['invalid JSON', 'invalid-json', 'bad-answer'],
  ['a cut connection', 'lost', 'unreachable'],
  ['silence', 'hang', 'unreachable'],
];

test.each(PASSING)(
  'while Gladia answers %s to the request for a session, the audio is kept and transcribed late',
  async (_, answer, code) => {
    const world = await testWorld({
      script: () => SCRIPT,
      recognition: { lateAfterMs: 1, ...(answer === 'hang' && { requestTimeoutMs: 100 }) },
    });
    const fault = refuse(world, answer);
    const call = world.callOneTrack(AUDIO);
    await call.done;
    await world.gladia.waitFor(() => posts(world) >= 2, { what: 'a second attempt' });
    expect(world.sink.of('final')).toHaveLength(0);
    fault.times = 0;
    const summary = await world.sink.summary(call.callSid);

    const session = world.gladia.sessions.at(-1)!;
    expect(session.accepted()!.equals(AUDIO)).toBe(true);
    expect(world.sink.segments(call.callSid).map(({ text, startMs }) => [text, startMs])).toEqual([
      ['First words.', 100],
      ['Last words.', 1_400],
    ]);
    const { acceptedMs, lateMs, lostMs } = ledgerOf(summary);
    expect(acceptedMs + lateMs).toBe(CALL_MS);
    expect(lateMs).toBeGreaterThanOrEqual(1_000);
    expect(lostMs).toEqual({});
    expect(summary.failure).toBeUndefined();
    expect(world.relay.metrics.value('sessionRequestsFailed', code)).toBeGreaterThanOrEqual(1);
    expect(world.relay.metrics.value('callsFailed')).toBe(0);
  },
);

test.each([400, 401, 402, 403, 422])(
  'after %i to the request for a session the call is marked failed, with one request and its audio in the ledger',
  async (status) => {
    const world = await testWorld({ script: () => SCRIPT });
    refuse(world, { status, message: 'no' });
    const call = world.callOneTrack(AUDIO);
    const summary = await world.sink.summary(call.callSid);
    await world.sink.next('call-ended', call.callSid);

    expect(posts(world)).toBe(1);
    expect(world.gladia.sessions).toHaveLength(0);
    expect(summary).toMatchObject({ endReason: 'stopped', failure: `http-${status}`, segments: 0 });
    expect(ledgerOf(summary)).toMatchObject({
      receivedMs: CALL_MS,
      acceptedMs: 0,
      lostMs: { 'transcription-failed': CALL_MS },
    });
    const { metrics } = world.relay;
    expect(metrics.value('callsFailed', `http-${status}`)).toBe(1);
    expect(metrics.value('audioLost', 'transcription-failed')).toBe(CALL_MS);
    const { call: stored, gaps } = await world.readAfterDrain(call.callSid);
    expect(stored).toMatchObject({ status: 'completed', failure: `http-${status}` });
    expect(gaps).toMatchObject([
      { startMs: 0, endMs: CALL_MS, track: 'inbound', cause: 'transcription-failed' },
    ]);
  },
);

test('a refusal in mid-call keeps what was said, and the rest is a gap', async () => {
  const world = await testWorld({ script: () => SCRIPT, recognition: { resultForMs: 200 } });
  world.gladia.faults.sessions = {
    cuts: [{ afterBytes: 1_000 * 8, how: { closeCode: 4403 }, ackLast: true }],
  };
  // Slowly: what a busy machine sends at once beyond the cut is no longer the rest.
  const call = world.callOneTrack(AUDIO, { paceFactor: 2 });
  await world.gladia.waitFor(({ sessions }) => sessions[0]);
  refuse(world, { status: 402 });
  const summary = await world.sink.summary(call.callSid);
  await world.sink.next('call-ended', call.callSid);
  expect(posts(world)).toBe(2);
  expect(summary).toMatchObject({ failure: 'http-402', segments: 1 });
  const { lostMs, unconfirmedMs } = ledgerOf(summary);
  expect(unconfirmedMs + (lostMs['transcription-failed'] ?? 0)).toBe(CALL_MS);
  expect(lostMs['transcription-failed']).toBeGreaterThan(500);
  const { segments, sessions } = await world.readAfterDrain(call.callSid);
  expect(segments.map(({ text }) => text)).toEqual(['First words.']);
  expect(sessions).toHaveLength(1);
  expect(world.sink.of('session-closed', call.callSid)).toHaveLength(1);
});

test('calls fail one by one: the next one is tried again', async () => {
  const world = await testWorld({ script: () => SCRIPT });
  refuse(world, { status: 402 }, 1);
  const failed = world.callOneTrack(AUDIO);
  await world.sink.summary(failed.callSid);
  const good = world.callOneTrack(AUDIO);
  const summary = await world.sink.summary(good.callSid);
  expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
});

test('a Gladia that is not there at all ends the leg in the end, as failed', async () => {
  const world = await testWorld({
    settings: { GLADIA_API_URL: 'http://127.0.0.1:9' },
    recognition: { finishForMs: 200 },
  });
  const { callSid } = world.callOneTrack(AUDIO);
  const summary = await world.sink.summary(callSid);
  expect(summary).toMatchObject({ failure: 'speech-unreachable', sessions: 0 });
  expect(ledgerOf(summary).lostMs).toEqual({ 'transcription-failed': CALL_MS });
});

describe('with a limit of sessions', () => {
  test('a call waits for its turn, and loses nothing', async () => {
    const world = await testWorld({ script: () => SCRIPT, settings: { GLADIA_MAX_SESSIONS: '1' } });
    const calls = [1, 2, 3].map(() => world.callOneTrack(AUDIO));
    for (const { callSid } of calls) expect(ledgerOf(await world.sink.summary(callSid)).lostMs).toEqual({});
    expect(world.gladia.sessions.map((session) => session.accepted()!.equals(AUDIO))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("Gladia's own limit answers 429 and is waited for", async () => {
    const world = await testWorld({
      script: () => SCRIPT,
      gladia: { maxConcurrentSessions: 1, limits: { processingMs: 5 } },
    });
    const calls = [1, 2].map(() => world.callOneTrack(AUDIO));
    for (const { callSid } of calls) expect(ledgerOf(await world.sink.summary(callSid)).lostMs).toEqual({});
    expect(world.gladia.maxOpenSessions).toBe(1);
    expect(world.relay.metrics.value('sessionRequestsFailed', 'http-429')).toBeGreaterThanOrEqual(1);
  });
});

describe('with the key in Secrets Manager', () => {
  let secrets: Server;
  let key: string;

  beforeEach(async () => {
    secrets = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify({ SecretString: JSON.stringify({ apiKey: key }) }));
      });
    }).listen(0, '127.0.0.1');
    await once(secrets, 'listening');
    const { port } = secrets.address() as AddressInfo;
    jest.replaceProperty(process, 'env', {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    secrets.closeAllConnections();
    await new Promise((resolve) => secrets.close(resolve));
  });

  async function rotatedWorld(): Promise<TestWorld> {
    key = 'first-key';
    const world = await testWorld({
      script: () => SCRIPT,
      gladia: { apiKeys: ['first-key', 'second-key'] },
      settings: { GLADIA_SECRET_ARN: 'callscript/gladia' },
    });
    const before = world.callOneTrack(AUDIO);
    expect(ledgerOf(await world.sink.summary(before.callSid))).toMatchObject({ acceptedMs: CALL_MS });
    // From now on the key that the relay has is refused; it was read long enough ago to be read again.
    refuse(world, { status: 401 }, 1);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    return world;
  }

  test('a key that was rotated is read again after a 401, and the call succeeds', async () => {
    const world = await rotatedWorld();
    key = 'second-key';
    const call = world.callOneTrack(AUDIO, { paceFactor: PACE });
    const summary = await world.sink.summary(call.callSid);
    expect(summary.failure).toBeUndefined();
    expect(ledgerOf(summary)).toMatchObject({ acceptedMs: CALL_MS });
    expect(posts(world)).toBe(3);
  });

  test('a key that is still the same after a 401 is not tried again', async () => {
    const world = await rotatedWorld();
    const call = world.callOneTrack(AUDIO);
    expect(await world.sink.summary(call.callSid)).toMatchObject({ failure: 'http-401' });
    expect(posts(world)).toBe(2);
  });
});
