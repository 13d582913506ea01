import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '../../../runtime/model/secret';
import type { TwilioCredentials } from '../../../runtime/twilio/twilio-credentials';
import { isCallNotInProgress, TwilioRest, TwilioRestError } from '../../../runtime/twilio/twilio-rest';

const CALL = {
  sid: 'CA1',
  status: 'in-progress',
  from: '+14158675310',
  to: '+15005550006',
  direction: 'inbound',
  price: null,
};
const TOKEN_ONLY: TwilioCredentials = {
  accountSid: 'AC1',
  authTokens: [new Secret('first'), new Secret('second')],
};
const API_KEY: TwilioCredentials = { ...TOKEN_ONLY, apiKey: { sid: 'SK1', secret: new Secret('s3cret') } };

const servers: Server[] = [];
const requests: IncomingMessage[] = [];

async function api(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    requests.push(request);
    answer(response);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const rest = (apiUrl: string, credentials: TwilioCredentials | undefined = API_KEY, timeoutMs = 5_000) =>
  new TwilioRest({ apiUrl, credentials: async () => credentials, timeoutMs });

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

async function failure(promise: Promise<unknown>): Promise<TwilioRestError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TwilioRestError);
  return error as TwilioRestError;
}

afterEach(async () => {
  requests.length = 0;
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a call', () => {
  it('is fetched with the API key', async () => {
    const url = await api(json(200, CALL));
    expect(await rest(`${url}/`).fetchCall('CA1')).toEqual({
      status: 'in-progress',
      from: '+14158675310',
      to: '+15005550006',
      direction: 'inbound',
    });
    expect(requests[0]!.method).toBe('GET');
    expect(requests[0]!.url).toBe('/2010-04-01/Accounts/AC1/Calls/CA1.json');
    expect(requests[0]!.headers.authorization).toBe(basic('SK1:s3cret'));
  });

  it('is fetched with account and first token when there is no key', async () => {
    await rest(await api(json(200, CALL)), TOKEN_ONLY).fetchCall('CA1');
    expect(requests[0]!.headers.authorization).toBe(basic('AC1:first'));
  });

  it('is looked up in its own account when the credentials name none', async () => {
    const { accountSid: _none, ...credentials } = API_KEY;
    await rest(await api(json(200, CALL)), credentials).fetchCall('CA1', 'AC9');
    expect(requests[0]!.url).toBe('/2010-04-01/Accounts/AC9/Calls/CA1.json');
  });

  it('stays one path segment, whatever its sid', async () => {
    await rest(await api(json(200, CALL))).fetchCall('../../CA1?x#y');
    expect(requests[0]!.url).toBe('/2010-04-01/Accounts/AC1/Calls/..%2F..%2FCA1%3Fx%23y.json');
  });

  it.each([
    [{ direction: 'outbound-api' }, { direction: 'outbound-api' }],
    [{ direction: 'trunking-originating' }, { direction: 'unknown' }],
    [
      { direction: null, from: '', to: null },
      { status: 'in-progress', direction: 'unknown' },
    ],
  ])('%j reads as %j', async (changes, expected) => {
    expect(await rest(await api(json(200, { ...CALL, ...changes }))).fetchCall('CA1')).toMatchObject(
      expected,
    );
  });
});

describe('a request that fails', () => {
  it.each([
    [401, { code: 20003, message: 'Authenticate +14158675310' }, 'unauthorized', false],
    [403, { code: 70051 }, 'unauthorized', false],
    [404, { code: 20404 }, 'not-found', false],
    [429, { code: 20429 }, 'too-many-requests', true],
    [400, { code: 21220 }, 'refused', false],
    [302, {}, 'refused', false],
    [500, {}, 'server-error', true],
    [503, 'no JSON object', 'server-error', true],
  ])('with %p %j is %s', async (status, body, code, retryable) => {
    const error = await failure(rest(await api(json(status, body))).fetchCall('CA1'));
    expect(error).toMatchObject({ code, status, retryable });
    expect(error.twilioCode).toBe((body as { code?: number }).code);
    expect(error.message).not.toMatch(/\+1|CA1|AC1|s3cret/);
    expect(requests.length).toBe(1);
  });

  it.each([[{}], [{ status: 7 }], ['text'], [null], [[]]])(
    'because the answer is %j is a bad answer',
    async (body) => {
      expect(await failure(rest(await api(json(200, body))).fetchCall('CA1'))).toMatchObject({
        code: 'bad-answer',
        retryable: false,
      });
    },
  );

  it('because the answer is no JSON is a bad answer', async () => {
    const url = await api((response) => response.end('<html>'));
    expect(await failure(rest(url).fetchCall('CA1'))).toMatchObject({ code: 'bad-answer' });
  });

  it.each([
    ['answers nothing', () => undefined],
    ['stops in the middle', (response: ServerResponse) => void response.writeHead(200).write('{')],
  ])('because the server %s is a time-out', async (_what, answer) => {
    const error = await failure(rest(await api(answer), API_KEY, 50).fetchCall('CA1'));
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
    expect(error.status).toBeUndefined();
  });

  it('because the server cuts the connection is a network error', async () => {
    const url = await api((response) => response.destroy());
    expect(await failure(rest(url).fetchCall('CA1'))).toMatchObject({ code: 'network', retryable: true });
  });

  it('does not take the credentials to another host', async () => {
    const other = await api(json(200, CALL));
    const url = await api((response) => response.writeHead(302, { location: `${other}/x` }).end());
    expect(await failure(rest(url).fetchCall('CA1'))).toMatchObject({ code: 'refused', status: 302 });
    expect(requests.length).toBe(1);
  });

  it.each([
    ['no credentials', undefined],
    ['no account', { authTokens: [new Secret('t')] }],
    ['neither key nor token', { accountSid: 'AC1', authTokens: [] }],
  ])('for want of %s asks nobody', async (_what, credentials) => {
    const url = await api(json(200, CALL));
    const client = new TwilioRest({ apiUrl: url, credentials: async () => credentials });
    expect(await failure(client.fetchCall('CA1'))).toMatchObject({
      code: 'no-credentials',
      retryable: false,
    });
    expect(requests.length).toBe(0);
  });
});

describe('A stream', () => {
  const stream = {
    url: 'wss://relay.example.com/media',
    name: 'callscript-1',
    tracks: ['inbound', 'outbound'],
    statusCallback: 'https://relay.example.com/stream-status',
    parameters: { from: '+14158675310', long: 'x'.repeat(500), direction: 'inbound' },
  } as const;

  function recorded(status: number, body: unknown): { apiUrl: Promise<string>; forms: string[] } {
    const forms: string[] = [];
    const apiUrl = api((response) => {
      const { req } = response;
      req.setEncoding('utf8');
      let form = '';
      req.on('data', (text: string) => (form += text));
      req.on('end', () => {
        forms.push(form);
        json(status, body)(response);
      });
    });
    return { apiUrl, forms };
  }

  it('is made with everything it had before; a parameter that Twilio would refuse stays away', async () => {
    const { apiUrl, forms } = recorded(201, { sid: 'MZ2', status: 'in-progress' });
    await expect(rest(await apiUrl).createStream('CA1', 'AC1', stream)).resolves.toBe('MZ2');
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: '/2010-04-01/Accounts/AC1/Calls/CA1/Streams.json',
      headers: { 'content-type': expect.stringContaining('application/x-www-form-urlencoded') },
    });
    expect(Object.fromEntries(new URLSearchParams(forms[0]))).toEqual({
      Url: 'wss://relay.example.com/media',
      Name: 'callscript-1',
      Track: 'both_tracks',
      StatusCallback: 'https://relay.example.com/stream-status',
      'Parameter1.Name': 'from',
      'Parameter1.Value': '+14158675310',
      'Parameter2.Name': 'direction',
      'Parameter2.Value': 'inbound',
    });
  });

  it.each([
    [400, { code: 21220 }, true],
    [404, { code: 20404 }, true],
    [400, { code: 21205 }, false],
    [429, { code: 20429 }, false],
    [500, {}, false],
  ])('that is refused with %i %j: the call takes none now: %s', async (status, body, isOver) => {
    const { apiUrl } = recorded(status, body);
    const error = await failure(rest(await apiUrl).createStream('CA1', 'AC1', stream));
    expect(isCallNotInProgress(error)).toBe(isOver);
  });

  it('without a sid in the answer is no stream', async () => {
    const { apiUrl } = recorded(200, { status: 'in-progress' });
    expect((await failure(rest(await apiUrl).createStream('CA1', 'AC1', stream))).code).toBe('bad-answer');
  });

  it('is stopped by sid or name', async () => {
    const { apiUrl, forms } = recorded(200, { sid: 'MZ1', status: 'stopped' });
    await rest(await apiUrl).stopStream('CA1', 'AC1', 'callscript-1');
    expect(requests[0]?.url).toBe('/2010-04-01/Accounts/AC1/Calls/CA1/Streams/callscript-1.json');
    expect(forms).toEqual(['Status=stopped']);
  });

  it('that is gone already is stopped', async () => {
    const { apiUrl } = recorded(404, { code: 20404 });
    await expect(rest(await apiUrl).stopStream('CA1', 'AC1', 'MZ1')).resolves.toBeUndefined();
  });

  it('that could not be stopped is an error', async () => {
    const { apiUrl } = recorded(500, {});
    expect((await failure(rest(await apiUrl).stopStream('CA1', 'AC1', 'MZ1'))).code).toBe('server-error');
  });
});
