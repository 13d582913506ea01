import { type ApiCall, startTwilioApi, type TwilioApi } from '../../../local/twilio/twilio-api';

const accountSid = 'AC0123456789abcdef0123456789abcdef';
const callSid = 'CA0123456789abcdef0123456789abcdef';
const call: ApiCall = {
  callSid,
  accountSid,
  from: '+15005550101',
  to: '+15005550006',
  direction: 'inbound',
  status: 'in-progress',
};
const calls: ApiCall[] = [];
let api: TwilioApi;

beforeAll(async () => {
  api = await startTwilioApi({ username: accountSid, password: 'secret', calls: () => calls });
});
beforeEach(() => {
  calls.splice(0, calls.length, call);
});
afterAll(async () => {
  await api.close();
  await api.close();
});

async function get(path: string, credentials = `${accountSid}:secret`, method = 'GET') {
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const response = await fetch(`${api.url}${path}`, { method, headers: { authorization } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const PATH = `/2010-04-01/Accounts/${accountSid}/Calls/${callSid}.json`;

describe('the REST API', () => {
  it('tells of a call', async () => {
    expect(await get(PATH)).toEqual({
      status: 200,
      body: {
        sid: callSid,
        account_sid: accountSid,
        from: '+15005550101',
        to: '+15005550006',
        direction: 'inbound',
        status: 'in-progress',
      },
    });
  });

  it('tells of the call as it is now', async () => {
    calls[0] = { ...call, status: 'completed' };
    expect((await get(PATH)).body['status']).toBe('completed');
  });

  it.each(['wrong', '', `${accountSid}:secre`, `${accountSid}:secret2`])(
    'refuses the credentials "%s" (20003)',
    async (credentials) => {
      expect(await get(PATH, credentials)).toMatchObject({ status: 401, body: { code: 20003, status: 401 } });
    },
  );

  it.each([
    ['a call that it does not know', PATH.replace(/CA0/, 'CA1')],
    ['a call of another account', PATH.replace(/AC0/, 'AC1')],
    ['anything else', '/2010-04-01/Accounts.json'],
  ])('does not find %s (20404)', async (_, path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: { code: 20404 } });
  });

  it('does not change a call', async () => {
    expect((await get(PATH, undefined, 'POST')).status).toBe(404);
  });
});
