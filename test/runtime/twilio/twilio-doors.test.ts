import crypto, { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { Secret } from '../../../runtime/model/secret';
import { Metrics } from '../../../runtime/observability/metrics';
import { startHttpServer, type HttpServer } from '../../../runtime/server/relay-server';
import type { StreamStatusEvent } from '../../../runtime/twilio/stream-status';
import type { TwilioCredentials } from '../../../runtime/twilio/twilio-credentials';
import { twilioDoors, type StreamGrant, type TwilioDoorsOptions } from '../../../runtime/twilio/twilio-doors';
import { TwilioGate, type GateOptions } from '../../../runtime/twilio/twilio-gate';
import { twilioSignature } from '../../../runtime/twilio/twilio-signature';
import { WsPeer } from '../../support/ws-peer';

const TOKEN = '0123456789abcdef0123456789abcdef';
const NEXT_TOKEN = 'fedcba9876543210fedcba9876543210';
const PUBLIC_URL = 'https://relay.example.com';
const VOICE = { CallSid: 'CA1', From: '+14158675310', To: '+15005550006', Direction: 'inbound' };
const STATUS = { CallSid: 'CA1', StreamSid: 'MZ1', StreamName: 'n', StreamEvent: 'stream-started' };

interface Bench {
  readonly server: HttpServer;
  readonly metrics: Metrics;
  readonly log: string[];
  readonly statuses: StreamStatusEvent[];
  readonly grants: StreamGrant[];
}

const servers: HttpServer[] = [];
const peers: WsPeer[] = [];

const credentials = (...tokens: string[]): TwilioCredentials => ({
  accountSid: 'AC1',
  authTokens: tokens.map((token) => new Secret(token)),
});

async function serve(options: Partial<TwilioDoorsOptions> = {}): Promise<Bench> {
  const metrics = new Metrics();
  const log: string[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (line) => void log.push(line) });
  const statuses: StreamStatusEvent[] = [];
  const grants: StreamGrant[] = [];
  const doors = twilioDoors({
    publicUrl: PUBLIC_URL,
    allowUnsigned: false,
    credentials: async () => credentials(TOKEN),
    mediaPath: '/media',
    tracks: ['inbound', 'outbound'],
    next: { kind: 'dial', number: '+15005550007' },
    tickets: { issueFirst: async () => ({}) },
    handshakesPerSecond: 1_000,
    isFull: () => false,
    isDraining: () => false,
    onStreamStatus: (event) => statuses.push(event),
    logger,
    metrics,
    ...options,
  });
  const server = await startHttpServer<StreamGrant>({
    host: '127.0.0.1',
    port: 0,
    portSetting: 'HTTP_PORT',
    routes: [doors.voiceRoute, doors.streamStatusRoute],
    upgrade: {
      paths: doors.mediaPaths,
      admit: doors.mediaAdmission,
      onSocket: (_socket, _request, grant) => void grants.push(grant),
    },
    logger,
    metrics,
    closeTimeoutMs: 20,
  });
  servers.push(server);
  return { server, metrics, log, statuses, grants };
}

interface Signing {
  readonly token?: string;
  /** What is signed; the URL that Twilio was given, unless the test wants a wrong one. */
  readonly url?: string;
  readonly header?: string;
}

async function post(
  { server }: Bench,
  path: string,
  form: Record<string, string>,
  signing: Signing | 'unsigned' = {},
) {
  const body = new URLSearchParams(form);
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (signing !== 'unsigned') {
    const { token = TOKEN, url = `${PUBLIC_URL}${path}` } = signing;
    headers['x-twilio-signature'] = signing.header ?? twilioSignature(token, url, body);
  }
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    body: body.toString(),
    headers,
  });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

async function upgrade(
  { server }: Bench,
  signing: Signing | 'unsigned' = {},
  path = '/media',
): Promise<string> {
  const headers: Record<string, string> = {};
  if (signing !== 'unsigned') {
    const { token = TOKEN, url = 'wss://relay.example.com/media' } = signing;
    headers['x-twilio-signature'] = signing.header ?? twilioSignature(token, url);
  }
  try {
    peers.push(await WsPeer.connect(`ws://127.0.0.1:${server.port}${path}`, { headers }));
    return '101';
  } catch (error) {
    return /\d{3}$/.exec((error as Error).message)?.[0] ?? String(error);
  }
}

function gateOf(options: Partial<GateOptions>): { gate: TwilioGate; metrics: Metrics } {
  const metrics = new Metrics();
  const gate = new TwilioGate({
    publicUrl: PUBLIC_URL,
    allowUnsigned: false,
    credentials: async () => credentials(TOKEN),
    logger: pino({ level: 'silent' }),
    metrics,
    ...options,
  });
  return { gate, metrics };
}

const refused = ({ metrics }: Bench, reason: string): number => metrics.value('requestsRefused', reason);

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.terminate();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('requests that Twilio signed', () => {
  it('get TwiML, with what the form says of the call', async () => {
    const { status, type, text } = await post(await serve(), '/voice', VOICE);
    expect([status, type]).toEqual([200, 'text/xml; charset=utf-8']);
    expect(text).toContain(' url="wss://relay.example.com/media" track="both_tracks"');
    expect(text).toContain(
      '<Parameter name="from" value="+14158675310"/><Parameter name="to" value="+15005550006"/>',
    );
    expect(text).toContain('<Parameter name="direction" value="inbound"/>');
    expect(text).toMatch(/<\/Start><Dial>\+15005550007<\/Dial><\/Response>$/);
  });

  it('get another stream name each time', async () => {
    const bench = await serve();
    const names = await Promise.all(
      [1, 2, 3].map(
        async () => /name="(callscript-\w+)"/.exec((await post(bench, '/voice', VOICE)).text)?.[1],
      ),
    );
    expect(new Set(names).size).toBe(3);
  });

  it('report a stream', async () => {
    const bench = await serve();
    const answer = await post(bench, '/stream-status', STATUS);
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(bench.statuses).toEqual([
      { callSid: 'CA1', streamSid: 'MZ1', streamName: 'n', streamEvent: 'stream-started' },
    ]);
  });

  it('open the media socket, and the grant names the account', async () => {
    const bench = await serve();
    expect(await upgrade(bench)).toBe('101');
    expect(bench.grants).toEqual([{ accountSid: 'AC1' }]);
  });

  it('are known by any of several tokens', async () => {
    const bench = await serve({ credentials: async () => credentials(NEXT_TOKEN, TOKEN) });
    expect(await upgrade(bench)).toBe('101');
    expect((await post(bench, '/voice', VOICE, { token: NEXT_TOKEN })).status).toBe(200);
  });

  it('are known by a token that is only in the renewed credentials', async () => {
    const refreshCredentials = jest.fn(async () => credentials(NEXT_TOKEN));
    const bench = await serve({ refreshCredentials });
    expect((await post(bench, '/voice', VOICE)).status).toBe(200);
    expect(refreshCredentials).not.toHaveBeenCalled();
    expect((await post(bench, '/voice', VOICE, { token: NEXT_TOKEN })).status).toBe(200);
    expect(refused(bench, 'bad-signature')).toBe(0);
  });

  it('come with the query that was signed', async () => {
    const bench = await serve();
    expect((await post(bench, '/voice?tenant=4%202', VOICE)).status).toBe(200);
    expect((await post(bench, '/voice?tenant=4%202', VOICE, { url: `${PUBLIC_URL}/voice` })).status).toBe(
      403,
    );
    expect(await upgrade(bench, {}, '/media?left=over')).toBe('101');
  });

  it.each(['/voice', '/relay/voice'])('come through a prefix of the public URL, here as %s', async (path) => {
    const bench = await serve({ publicUrl: `${PUBLIC_URL}/relay` });
    const url = `${PUBLIC_URL}/relay/voice`;
    expect((await post(bench, path, VOICE, { url })).text).toContain(
      'url="wss://relay.example.com/relay/media"',
    );
    const stream = { url: 'wss://relay.example.com/relay/media' };
    expect(await upgrade(bench, stream, path.replace('voice', 'media'))).toBe('101');
  });

  it('are judged by the configured URL, not by their headers', async () => {
    const bench = await serve({ publicUrl: 'https://other.example.com' });
    const headers = {
      host: 'relay.example.com',
      'x-forwarded-host': 'relay.example.com',
      'x-forwarded-proto': 'https',
    };
    const response = await fetch(`http://127.0.0.1:${bench.server.port}/voice`, {
      method: 'POST',
      body: new URLSearchParams(VOICE).toString(),
      headers: {
        ...headers,
        'x-twilio-signature': twilioSignature(TOKEN, `${PUBLIC_URL}/voice`, Object.entries(VOICE)),
      },
    });
    expect(response.status).toBe(403);
  });
});

/** Signed by Twilio's own package, with tokens and a host that nobody has seen before. */
describe.each([
  ['/voice', 'https', VOICE],
  ['/stream-status', 'https', STATUS],
  ['/media', 'wss', {}],
] as const)('%s, signed elsewhere', (path, scheme, form) => {
  const [now, next] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const host = `${randomBytes(4).toString('hex')}.Example.com`;
  const knock = async (
    bench: Bench,
    url: string | undefined,
    token: string = now,
    headers: Record<string, string> = {},
  ): Promise<boolean> => {
    const signature =
      url === undefined ? {} : { 'x-twilio-signature': getExpectedTwilioSignature(token, url, form) };
    const target = `http://127.0.0.1:${bench.server.port}${path}`;
    if (path === '/media') {
      const peer = WsPeer.connect(target.replace('http', 'ws'), { headers: { ...headers, ...signature } });
      return peer.then(
        (opened) => peers.push(opened) > 0,
        () => false,
      );
    }
    const body = new URLSearchParams(form);
    return (await fetch(target, { method: 'POST', body, headers: { ...headers, ...signature } })).ok;
  };
  const serveHere = (...tokens: string[]): Promise<Bench> =>
    serve({ publicUrl: `https://${host}`, credentials: async () => credentials(...tokens) });

  it('is taken as it is, with a slash at the end, and with the port', async () => {
    const bench = await serveHere(now);
    const url = `${scheme}://${host}${path}`;
    for (const signed of [url, `${url}/`, url.replace(host, `${host}:443`)])
      expect(await knock(bench, signed)).toBe(true);
  });

  it('is taken with either token while they are rotated, and the first use of each is told', async () => {
    const bench = await serveHere(next, now);
    for (const token of [now, next, now])
      expect(await knock(bench, `${scheme}://${host}${path}`, token)).toBe(true);
    const told = bench.log.map((line) => JSON.parse(line) as { level: number; tokenIndex?: number });
    expect(told.filter(({ level }) => level === 30).map(({ tokenIndex }) => tokenIndex)).toEqual([1, 0]);
    expect(await knock(await serveHere(now), `${scheme}://${host}${path}`, next)).toBe(false);
  });

  it.each([
    ['no header', () => undefined],
    ['the wrong scheme', () => `${scheme === 'wss' ? 'https' : 'http'}://${host}${path}`],
    ['another path', () => `${scheme}://${host}${path}x`],
    ['another host', () => `${scheme}://other.example.com${path}`],
    ['a port that is not ours', () => `${scheme}://${host}:8443${path}`],
    ['a query that did not come', () => `${scheme}://${host}${path}?a=1`],
  ])('is refused for %s', async (_what, url) => {
    expect(await knock(await serveHere(now), url())).toBe(false);
  });

  it('is taken behind a proxy that puts another Host, and refused for the host of the proxy', async () => {
    const bench = await serveHere(now);
    const proxied = { 'x-forwarded-host': 'internal.example', 'x-forwarded-proto': 'http' };
    expect(await knock(bench, `${scheme}://${host}${path}`, now, proxied)).toBe(true);
    expect(await knock(bench, `${scheme}://internal.example${path}`, now, proxied)).toBe(false);
  });

  it('for another host tells that PUBLIC_URL may be wrong, and for which URL it is signed', async () => {
    const bench = await serveHere(now);
    const proxied = { 'x-forwarded-host': 'tunnel.example' };
    await knock(bench, `${scheme}://tunnel.example${path}`, now, proxied);
    expect(JSON.parse(bench.log[0]!)).toMatchObject({
      reason: 'bad-signature',
      expectedUrl: `${scheme}://${host}${path}`,
      signedUrl: `${scheme}://tunnel.example${path}`,
      msg: expect.stringContaining('Set PUBLIC_URL'),
    });
    expect(bench.log.join()).not.toContain(now);
  });

  it('tells no URL that a stranger has put into the headers', async () => {
    const bench = await serveHere(now);
    await knock(bench, `${scheme}://evil.example${path}`, next, { 'x-forwarded-host': 'evil.example' });
    expect(JSON.parse(bench.log[0]!)).not.toHaveProperty('signedUrl');
    expect(bench.log.join()).not.toContain('evil');
  });
});

describe('a form of thousands of fields', () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [index.toString(36), '']));

  it.each([
    ['/voice', VOICE],
    ['/stream-status', STATUS],
  ])('is none to %s, also when it is signed', async (path, form) => {
    const bench = await serve();
    expect((await post(bench, path, { ...form, ...many })).status).toBe(403);
    expect(refused(bench, 'bad-signature')).toBe(1);
    expect(bench.statuses).toEqual([]);
  });

  it('hashes no more than an empty one', async () => {
    const update = jest.spyOn(crypto.Hmac.prototype, 'update');
    const bench = await serve();
    const hashed: unknown[] = [];
    for (const form of [{}, many]) {
      update.mockClear();
      await post(bench, '/voice', form, 'unsigned');
      hashed.push(update.mock.calls);
    }
    update.mockRestore();
    expect(hashed[0]).not.toEqual([]);
    expect(hashed[1]).toEqual(hashed[0]);
  });
});

describe('every refusal', () => {
  const refusals: readonly (readonly [string, Partial<TwilioDoorsOptions>, Signing | 'unsigned'])[] = [
    ['no signature', {}, 'unsigned'],
    ['an empty one', {}, { header: '' }],
    ['a wrong one', {}, { token: NEXT_TOKEN }],
    ['a short one', {}, { header: 'x' }],
    ['no credentials', { credentials: async () => undefined }, {}],
    ['no public URL', { publicUrl: undefined }, {}],
  ];

  /** All that the other side sees, but for the time of day. */
  async function answerOf(options: Partial<TwilioDoorsOptions>, signing: Signing | 'unsigned', path: string) {
    const refreshCredentials = jest.fn(options.credentials ?? (async () => credentials(TOKEN)));
    const bench = await serve({ ...options, refreshCredentials });
    const header =
      signing === 'unsigned' ? undefined : (signing.header ?? twilioSignature(signing.token ?? TOKEN, 'x'));
    const headers = header === undefined ? {} : { 'x-twilio-signature': header };
    const target = `http://127.0.0.1:${bench.server.port}${path}`;
    const response = await fetch(target, { method: 'POST', body: '', headers });
    const { date: _date, ...seen } = Object.fromEntries(response.headers);
    return [response.status, seen, await response.text(), refreshCredentials.mock.calls.length];
  }

  it.each(['/voice', '/stream-status'])(
    'at %s is the same answer, after the same questions',
    async (path) => {
      const answers = await Promise.all(
        refusals.map(([, options, signing]) => answerOf(options, signing, path)),
      );
      expect(answers[0]).toEqual([403, expect.anything(), '', 1]);
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    },
  );

  it.each(refusals)('of an upgrade is 403: %s', async (_what, options, signing) => {
    expect(await upgrade(await serve(options), signing)).toBe('403');
  });

  it('hashes as often, whatever is wrong', async () => {
    const hashes = jest.spyOn(crypto, 'createHmac');
    const counts: number[] = [];
    for (const [, options, signing] of refusals) {
      const { gate } = gateOf({ refreshCredentials: async () => undefined, ...options });
      const given = signing === 'unsigned' ? undefined : (signing.header ?? twilioSignature(NEXT_TOKEN, 'x'));
      const headers = given === undefined ? {} : { 'x-twilio-signature': given };
      const request = { kind: 'webhook', path: '/voice', query: '', headers, fields: [['a', 'b']] } as const;
      // The first one also looks for what to say in the log, once in ten seconds.
      await gate.check(request);
      hashes.mockClear();
      await gate.check(request);
      counts.push(hashes.mock.calls.length);
    }
    hashes.mockRestore();
    expect(counts[0]).toBeGreaterThan(0);
    expect(new Set(counts).size).toBe(1);
  });

  it('looks at a form once, and at tokens again only when others came', async () => {
    const hashes = jest.spyOn(crypto, 'createHmac');
    const fields = {
      looks: 0,
      *[Symbol.iterator]() {
        this.looks += 1;
        yield ['a', 'b'] as const;
      },
    };
    const request = { kind: 'webhook', path: '/voice', query: '', headers: {}, fields } as const;
    const lookedAt: [number, number][] = [];
    for (const renewed of [TOKEN, NEXT_TOKEN]) {
      const { gate } = gateOf({ refreshCredentials: async () => credentials(renewed) });
      hashes.mockClear();
      fields.looks = 0;
      await gate.check(request);
      lookedAt.push([fields.looks, hashes.mock.calls.length]);
    }
    hashes.mockRestore();
    expect(lookedAt).toEqual([
      [1, 4],
      [1, 8],
    ]);
  });

  it('in a flood waits for no newer credentials', async () => {
    let renew: () => void = () => undefined;
    const renewal = new Promise<TwilioCredentials>((resolve) => (renew = () => resolve(credentials(TOKEN))));
    const refreshCredentials = jest.fn(() => renewal);
    const { gate, metrics } = gateOf({ refreshCredentials });
    const request = { kind: 'stream', path: '/media', query: '', headers: {} } as const;
    const waiting = Array.from({ length: 500 }, () => gate.check(request));
    expect(await gate.check(request)).toEqual({ passed: false, status: 403 });
    expect(metrics.value('requestsRefused', 'no-signature')).toBe(1);
    renew();
    await Promise.all(waiting);
    expect(refreshCredentials).toHaveBeenCalledTimes(500);
  });
});

describe.each([
  [
    '/voice',
    async (bench: Bench, signing: Signing | 'unsigned') =>
      String((await post(bench, '/voice', VOICE, signing)).status),
  ],
  [
    '/stream-status',
    async (bench: Bench, signing: Signing | 'unsigned') =>
      String((await post(bench, '/stream-status', STATUS, signing)).status),
  ],
  ['the media upgrade', upgrade],
])('%s refuses', (_door, knock) => {
  it('what is not signed', async () => {
    const bench = await serve();
    expect(await knock(bench, 'unsigned')).toBe('403');
    expect(refused(bench, 'no-signature')).toBe(1);
  });

  it.each([
    ['with another token', { token: NEXT_TOKEN }],
    ['for another URL', { url: 'https://example.com/voice' }],
    ['with nonsense', { header: 'nonsense' }],
  ])('what is signed %s', async (_what, signing) => {
    const bench = await serve();
    expect(await knock(bench, signing)).toBe('403');
    expect(refused(bench, 'bad-signature')).toBe(1);
    expect([bench.statuses, bench.grants]).toEqual([[], []]);
  });

  it.each([
    ['nobody knows the credentials', async () => undefined],
    ['there is no token', async () => credentials()],
  ])('everything while %s', async (_what, known) => {
    const bench = await serve({ credentials: known });
    expect(await knock(bench, {})).toBe('403');
    expect(refused(bench, 'no-credentials')).toBe(1);
  });

  it('everything while PUBLIC_URL is not set', async () => {
    const bench = await serve({ publicUrl: undefined });
    expect(await knock(bench, {})).toBe('403');
    expect(refused(bench, 'no-public-url')).toBe(1);
  });

  it('nothing when unsigned streams are allowed', async () => {
    const bench = await serve({ allowUnsigned: true, credentials: async () => undefined });
    expect(await knock(bench, 'unsigned')).toMatch(/^(101|200|204)$/);
  });

  it('with advice that names the URL and nothing secret, at most once in ten seconds', async () => {
    let nowMs = 0;
    const bench = await serve({ now: () => nowMs });
    const header = twilioSignature(NEXT_TOKEN, 'x');
    await knock(bench, { header });
    await knock(bench, { header });
    nowMs = 9_999;
    await knock(bench, { header });
    expect(bench.log.length).toBe(1);
    nowMs = 10_000;
    await knock(bench, { header });
    expect(bench.log.length).toBe(2);
    expect(bench.log[0]).toMatch(
      /"expectedUrl":"(https|wss):\/\/relay\.example\.com\/(voice|media|stream-status)"/,
    );
    for (const secret of [TOKEN, header, '+14158675310', '14158675310'])
      expect(bench.log.join()).not.toContain(secret);
  });
});

test('more handshakes than the second allows are refused, and strangers use none of them up', async () => {
  let nowMs = 0;
  const bench = await serve({ handshakesPerSecond: 2, now: () => nowMs });
  for (let n = 0; n < 5; n++) expect(await upgrade(bench, 'unsigned')).toBe('403');
  const answers = [await upgrade(bench), await upgrade(bench), await upgrade(bench)];
  expect(answers).toEqual(['101', '101', '503']);
  expect(refused(bench, 'too-many-handshakes')).toBe(1);
  nowMs = 500;
  expect(await upgrade(bench)).toBe('101');
});

describe('a relay that takes no more calls', () => {
  it.each([
    ['full', { isFull: () => true }],
    ['draining', { isDraining: () => true }],
  ])(
    '%s: refuses the stream, after the signature, and lets the call itself go on',
    async (reason, options) => {
      const bench = await serve(options);
      expect(await upgrade(bench, 'unsigned')).toBe('403');
      expect(refused(bench, reason)).toBe(0);
      for (let times = 1; times < 4; times += 1) {
        expect(await upgrade(bench)).toBe('503');
        expect(refused(bench, reason)).toBe(times);
      }
      expect(bench.log.filter((line) => line.includes(`"reason":"${reason}"`))).toHaveLength(1);
      expect((await post(bench, '/voice', VOICE)).status).toBe(200);
      expect((await post(bench, '/stream-status', STATUS)).status).toBe(204);
    },
  );
});

describe('requests that cannot be answered', () => {
  it('/voice without a continuation names the three settings', async () => {
    const bench = await serve({ next: undefined });
    const { status, type, text } = await post(bench, '/voice', VOICE);
    expect([status, type]).toEqual([503, 'text/plain']);
    for (const setting of ['VOICE_TWIML', 'DIAL_NUMBER', 'VOICE_NEXT_URL']) expect(text).toContain(setting);
    expect(refused(bench, 'no-continuation')).toBe(1);
  });

  it('/voice without a continuation logs which settings it waits for, but not at every call', async () => {
    let nowMs = 0;
    const bench = await serve({ next: undefined, adviceIntervalMs: 100, now: () => nowMs });
    const advice = () => bench.log.filter((line) => line.includes('VOICE_TWIML'));
    await post(bench, '/voice', VOICE);
    nowMs = 99;
    await post(bench, '/voice', VOICE);
    expect(advice()).toHaveLength(1);
    expect(JSON.parse(advice()[0]!)).toMatchObject({
      level: 40,
      reason: 'no-continuation',
      path: '/voice',
      msg: expect.stringMatching(/VOICE_TWIML, DIAL_NUMBER or VOICE_NEXT_URL/),
    });
    expect(advice()[0]).not.toContain(VOICE.From);
    nowMs = 100;
    await post(bench, '/voice', VOICE);
    expect(advice()).toHaveLength(2);
  });

  it('/voice without a public URL names it, when signatures are not asked for', async () => {
    const { status, text } = await post(
      await serve({ allowUnsigned: true, publicUrl: undefined }),
      '/voice',
      VOICE,
    );
    expect([status, text]).toEqual([503, expect.stringContaining('PUBLIC_URL')]);
  });

  it('a stream status that is none is a bad request', async () => {
    const bench = await serve();
    expect(await post(bench, '/stream-status', { ...STATUS, StreamEvent: 'party' })).toMatchObject({
      status: 400,
      text: '',
    });
    expect(await post(bench, '/stream-status', {})).toMatchObject({ status: 400 });
    expect(bench.statuses).toEqual([]);
  });

  it('a stream status whose taker fails is answered 500, and the next one is taken', async () => {
    let calls = 0;
    const bench = await serve({
      onStreamStatus: () => {
        calls += 1;
        if (calls === 1) throw new Error('no room');
      },
    });
    expect((await post(bench, '/stream-status', STATUS)).status).toBe(500);
    expect((await post(bench, '/stream-status', STATUS)).status).toBe(204);
  });
});
