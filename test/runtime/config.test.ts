import { ConfigError, loadConfig, type Environment } from '../../runtime/config';
import { SETTINGS } from '../../runtime/contract/settings';

const ACCOUNT = 'AC0123456789abcdef0123456789abcdef';

function problems(environment: Environment): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('needs no variable at all', () => {
  const config = loadConfig({});
  expect(config).toMatchObject({
    httpPort: 5000,
    adminPort: 9464,
    mediaPath: '/media',
    tracks: ['inbound', 'outbound'],
    audioChunkMs: 20,
  });
  expect(config.gladia).toMatchObject({ apiUrl: 'https://api.gladia.io', maxSessions: Infinity });
  expect(config.twilio).toMatchObject({ authTokens: [], allowUnsignedStreams: false, isRestAllowed: false });
});

test('takes blank for absent', () => {
  expect(loadConfig({ HTTP_PORT: ' ', PUBLIC_URL: '', TRACKS: '' })).toEqual(loadConfig({}));
});

test.each([
  ['HTTP_PORT', '65536'],
  ['HTTP_PORT', '-1'],
  ['HTTP_PORT', 'eighty'],
  ['HTTP_PORT', '80.5'],
  ['ADMIN_PORT', '0x50'],
  ['PUBLIC_URL', 'relay.example.com'],
  ['PUBLIC_URL', 'wss://relay.example.com'],
  ['PUBLIC_URL', 'https://relay.example.com?x=1'],
  ['PUBLIC_URL', 'https://user:pass@relay.example.com'],
  ['MEDIA_PATH', 'media'],
  ['MEDIA_PATH', '/media?x=1'],
  ['MEDIA_PATH', '/media/'],
  ['TWILIO_ACCOUNT_SID', 'SK0123456789abcdef0123456789abcdef'],
  ['ALLOW_UNSIGNED_STREAMS', 'yes'],
  ['DIAL_NUMBER', '555-0006'],
  ['VOICE_TWIML', '<Dial>+15005550006'],
  ['VOICE_NEXT_URL', '/voice2'],
  ['GLADIA_REGION', 'us-east'],
  ['GLADIA_API_URL', 'api.gladia.io'],
  ['GLADIA_SESSION_OPTIONS', '{"channels":1}'],
  ['GLADIA_MAX_SESSIONS', '0'],
  ['TRACKS', 'outbound'],
  ['AUDIO_CHUNK_MS', '19'],
  ['AUDIO_CHUNK_MS', '101'],
  ['TRANSCRIPTS_TABLE', 'ab'],
  ['AWS_REGION', 'virginia'],
  ['AWS_ENDPOINT_URL_DYNAMODB', 'localhost:8000'],
  ['RETENTION_DAYS', '0'],
  ['MAX_CALLS', '1e3'],
  ['BACKLOG_CALL_MS', '10'],
  ['BACKLOG_PROCESS_BYTES', '1048575'],
  ['CATCH_UP_FACTOR', '1.05'],
  ['CATCH_UP_FACTOR', 'fast'],
  ['DRAIN_TIMEOUT_MS', '120000'],
  ['CONSOLE_TRANSCRIPTS', 'true'],
  ['LOG_LEVEL', 'verbose'],
  ['STORE_WORDS', 'yes'],
] as const)('%s=%s is refused with its name and what is allowed, without the value', (name, value) => {
  const [problem, ...others] = problems({ [name]: value });
  expect(others).toEqual([]);
  expect(problem).toContain(`${name}: `);
  expect(problem).toContain(`allowed: ${SETTINGS[name].allowed}`);
  expect(problem?.replace(SETTINGS[name].allowed, '').split('; ')[0]).not.toContain(value);
});

test.each([
  ['GLADIA_API_KEY', 'pasted\nwith a line break', {}],
  ['TWILIO_AUTH_TOKEN', 'good,pästed', { PUBLIC_URL: 'https://relay.example.com' }],
  ['TWILIO_API_KEY_SECRET', 'two words', { TWILIO_API_KEY_SID: 'SK0123456789abcdef0123456789abcdef' }],
] as const)('%s is refused where no header could take it', (name, value, others) => {
  expect(problems({ [name]: value, ...others })).toEqual([
    expect.stringMatching(`^${name}: is a text of \\d+ characters; allowed: .*printable characters`),
  ]);
});

test('every wrong setting is named at once', () => {
  expect(problems({ HTTP_PORT: 'x', TRACKS: 'y', MAX_CALLS: 'z' })).toHaveLength(3);
});

test('two answers to what follows <Start> are refused', () => {
  expect(problems({ DIAL_NUMBER: '+15005550006', VOICE_NEXT_URL: 'https://example.com/next' })).toEqual([
    'VOICE_TWIML, DIAL_NUMBER, VOICE_NEXT_URL: set at most one of them',
  ]);
});

test('half an API key is refused', () => {
  expect(problems({ TWILIO_API_KEY_SID: 'SK0123456789abcdef0123456789abcdef' })).toEqual([
    'TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET: set both or none',
  ]);
});

test('a token without a public URL is refused, because no signature could be checked', () => {
  expect(problems({ TWILIO_AUTH_TOKEN: 'canary' })).toEqual([expect.stringMatching(/^PUBLIC_URL: needed/)]);
  expect(problems({ TWILIO_AUTH_TOKEN: 'canary' }).join()).not.toContain('canary');
});

test('one port for both doors is refused', () => {
  expect(problems({ HTTP_PORT: '7000', ADMIN_PORT: '7000' })).toEqual([
    'ADMIN_PORT: is the same as HTTP_PORT; set another port',
  ]);
  expect(problems({ HTTP_PORT: '0', ADMIN_PORT: '0' })).toEqual([]);
});

test('several tokens are a list, and none of them shows when the settings are printed', () => {
  const config = loadConfig({
    TWILIO_AUTH_TOKEN: 'one, two ,',
    PUBLIC_URL: 'https://relay.example.com/',
    GLADIA_API_KEY: 'three',
  });
  expect(config.twilio.authTokens.map((token) => token.reveal())).toEqual(['one', 'two']);
  expect(config.publicUrl).toBe('https://relay.example.com');
  expect(JSON.stringify(config)).not.toMatch(/one|two|three/);
});

test.each([
  [{ TWILIO_API_KEY_SID: 'SK0123456789abcdef0123456789abcdef', TWILIO_API_KEY_SECRET: 'x' }, true],
  [{ TWILIO_API_URL: 'http://127.0.0.1:1' }, true],
  [
    {
      TWILIO_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:111111111111:secret:twilio-AbCdEf',
      PUBLIC_URL: 'https://relay.example.com',
    },
    true,
  ],
  [{ TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: 'x', PUBLIC_URL: 'https://relay.example.com' }, false],
])("Twilio's API is asked only where that is wanted", (environment, isAllowed) => {
  expect(loadConfig(environment).twilio.isRestAllowed).toBe(isAllowed);
});

test('a missing PUBLIC_URL is refused with a way to get one', () => {
  const load = (port: string) => () => loadConfig({ TWILIO_AUTH_TOKEN: 'token', HTTP_PORT: port });
  expect(load('5001')).toThrow(/PUBLIC_URL: .*tunnel to port 5001, .* the https URL it prints/);
  expect(load('0')).toThrow(/PUBLIC_URL: .*tunnel to the relay's port \(HTTP_PORT=5000/);
});

test('a wrong value of one character is told in good English', () => {
  expect(() => loadConfig({ TRACKS: 'x' })).toThrow('TRACKS: is a text of 1 character; allowed');
});
