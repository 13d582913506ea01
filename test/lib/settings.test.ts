import { SETTINGS, type SettingName } from '../../runtime/contract/settings';
import { DEPLOY_SETTINGS } from '../../lib/deploy-settings';
import { OWNED_SETTINGS } from '../../lib/relay-environment';
import { parseSettings, SettingsError } from '../../lib/settings';
import cdkJson from '../../cdk.json';

const CERTIFICATE = 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef';

function problems(context: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    parseSettings(context);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
}

test('without any setting there is a relay behind CloudFront, two tasks at least, and one NAT gateway', () => {
  expect(parseSettings({})).toMatchObject({
    endpoint: { kind: 'cloudfront' },
    egress: 'nat',
    flowLogs: false,
    customerManagedKey: false,
    cpuArchitecture: 'arm64',
    baseImage: 'public.ecr.aws/docker/library/node:24-slim',
    tasks: { least: 2, most: 20 },
    callsPerTask: 140,
    relay: {},
  });
  expect(parseSettings({})).not.toHaveProperty('alarmEmail');
});

test('a task refuses calls at twice what scaling aims at', () => {
  const { maxCalls, relayConfig } = parseSettings({ callsPerTask: '50' });
  expect(maxCalls).toBe(100);
  expect(relayConfig.maxCalls).toBe(100);
});

test('there are at most a dozen settings, and one for traces', () => {
  const names = Object.keys(DEPLOY_SETTINGS).filter((name) => name !== 'traceCollector');
  expect(names.length).toBeLessThanOrEqual(12);
});

test("the CDK's own context and feature flags are not ours", () => {
  expect(problems(cdkJson.context)).toEqual([]);
  expect(
    problems({ 'aws:cdk:enable-path-metadata': true, 'availability-zones:account=1:region=x': [] }),
  ).toEqual([]);
});

test('values from cdk.json may be numbers, truth values and objects', () => {
  expect(
    parseSettings({
      flowLogs: true,
      callsPerTask: 20,
      relay: {
        STORE_WORDS: true,
        RETENTION_DAYS: 30,
        GLADIA_SESSION_OPTIONS: { language_config: { languages: ['en'] } },
      },
    }),
  ).toMatchObject({
    flowLogs: true,
    callsPerTask: 20,
    relay: {
      STORE_WORDS: 'true',
      RETENTION_DAYS: '30',
      GLADIA_SESSION_OPTIONS: '{"language_config":{"languages":["en"]}}',
    },
  });
});

test('a blank value is an absent one', () => {
  expect(parseSettings({ domainName: ' ', egress: '', tasks: '' })).toEqual(parseSettings({}));
});

test.each([
  ['with a zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ' }, 'hosted-zone'],
  ['with a certificate', { certificateArn: CERTIFICATE }, 'certificate'],
] as const)('a domain %s is an endpoint', (_name, context, kind) => {
  expect(parseSettings({ domainName: 'calls.example.com', ...context }).endpoint).toEqual({
    kind,
    domainName: 'calls.example.com',
    ...context,
  });
});

test.each([
  [
    { domainName: 'Calls.example.com', hostedZoneId: 'Z01' },
    'domainName: is something else than allowed; write a host name',
  ],
  [
    { domainName: 'https://calls.example.com', hostedZoneId: 'Z01' },
    'domainName: is something else than allowed',
  ],
  [{ domainName: 'calls.example.com' }, 'domainName: needs hostedZoneId'],
  [{ hostedZoneId: 'Z01' }, 'hostedZoneId: needs domainName'],
  [{ certificateArn: CERTIFICATE }, 'certificateArn: needs domainName'],
  [
    { domainName: 'a.example.com', hostedZoneId: 'Z01', certificateArn: CERTIFICATE },
    'set one of them, not both',
  ],
  [
    { domainName: 'a.example.com', hostedZoneId: 'example.com' },
    'hostedZoneId: is something else than allowed; write the id',
  ],
  [
    { domainName: 'a.example.com', certificateArn: 'arn:aws:iam::1:server-certificate/x' },
    'certificateArn: is something else',
  ],
  [{ egress: 'natt' }, 'egress: is something else than allowed; write nat, nat-per-zone or public'],
  [{ flowLogs: 'yes' }, 'flowLogs: is something else than allowed; write true or false'],
  [{ alarmEmail: 'me' }, 'alarmEmail: is something else than allowed; write an e-mail address'],
  [{ customerManagedKey: 1 }, 'customerManagedKey: is something else than allowed; write true or false'],
  [{ cpuArchitecture: 'arm' }, 'cpuArchitecture: is something else than allowed; write arm64 or x86_64'],
  [{ baseImage: 'node 24' }, 'baseImage: is something else than allowed'],
  [
    { tasks: '1-20' },
    'tasks: is something else than allowed; write the least and the most tasks, such as 2-20',
  ],
  [{ tasks: '4-2' }, 'tasks: is something else than allowed'],
  [{ tasks: '4' }, 'tasks: is something else than allowed'],
  [{ callsPerTask: 0 }, 'callsPerTask: is something else than allowed; write a whole number from 1 to 50000'],
  [{ callsPerTask: 'many' }, 'callsPerTask: is something else than allowed'],
  [{ relay: 'DIAL_NUMBER=+15005550006' }, 'relay: is something else than allowed; write a JSON object'],
  [{ relay: ['TRACKS'] }, 'relay: is something else than allowed; write a JSON object'],
  [{ relay: { TRACK: 'both' } }, 'relay.TRACK: the relay has no such setting'],
  [{ relay: { TRACKS: 'outbound' } }, 'relay.TRACKS: is a text of 8 characters; allowed: both or inbound'],
  [{ relay: { PUBLIC_URL: 'https://a.example.com' } }, 'relay.PUBLIC_URL: the stack sets it; leave it out'],
  [
    { relay: { GLADIA_API_KEY: 'abc' } },
    'relay.GLADIA_API_KEY: a secret; leave it out, deploy, and run the commands',
  ],
  [
    { relay: { ALLOW_UNSIGNED_STREAMS: true } },
    'relay.ALLOW_UNSIGNED_STREAMS: only for a relay outside of AWS',
  ],
  [{ domainname: 'a.example.com' }, 'domainname: no such setting; write domainName'],
  [{ domain_name: 'a.example.com' }, 'domain_name: no such setting; write domainName'],
  [
    { DIAL_NUMBER: '+15005550006' },
    `DIAL_NUMBER: no such setting; write it into relay, such as -c relay='{"DIAL_NUMBER":"..."}'`,
  ],
  [{ vpcId: 'vpc-1' }, 'vpcId: no such setting; there are domainName, hostedZoneId'],
])('%j is refused with a sentence that says what to write', (context, sentence) => {
  expect(problems(context)).toEqual([expect.stringContaining(sentence)]);
});

test('one synth shows everything that is wrong', () => {
  expect(
    problems({ egress: 'x', tasks: 'x', relay: { TRACKS: 'x', LOG_LEVEL: 'x' }, region: 'x' }),
  ).toHaveLength(5);
});

test('what is refused is not repeated: somebody may have put a secret there', () => {
  const secret = 'hunter2hunter2';
  const context = {
    egress: secret,
    alarmEmail: secret,
    relay: { TRACKS: secret, TWILIO_AUTH_TOKEN: secret },
  };
  expect(problems(context).join()).not.toContain(secret);
});

test("every setting of the relay is the stack's, the user's, or not for AWS", () => {
  const names = Object.keys(SETTINGS) as SettingName[];
  const forUsers = names.filter((name) => problems({ relay: { [name]: '' } }).length === 0);
  const owned: readonly SettingName[] = OWNED_SETTINGS;
  const inAws = names.filter((name) => SETTINGS[name].where !== 'local');
  expect([...forUsers, ...owned].sort()).toEqual(inAws.sort());
});
