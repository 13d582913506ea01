import type { RelayConfig } from '../runtime/config';
import { ContextReader } from './context-reader';
import { relayConfig, type RelaySettings } from './relay-environment';

/** How Twilio reaches the relay. */
export type EndpointSettings =
  | { readonly kind: 'cloudfront' }
  | { readonly kind: 'hosted-zone'; readonly domainName: string; readonly hostedZoneId: string }
  | { readonly kind: 'certificate'; readonly domainName: string; readonly certificateArn: string };

const EGRESS = ['nat', 'nat-per-zone', 'public'] as const;
const ARCHITECTURES = ['arm64', 'x86_64'] as const;

/** Every setting of the deployment, read and checked. What each means: `deploy-settings.ts`. */
export interface CallscriptSettings {
  readonly endpoint: EndpointSettings;
  readonly egress: (typeof EGRESS)[number];
  readonly flowLogs: boolean;
  readonly alarmEmail?: string;
  readonly customerManagedKey: boolean;
  readonly cpuArchitecture: (typeof ARCHITECTURES)[number];
  readonly baseImage: string;
  /** Image of what takes traces in each task. */
  readonly traceCollector?: string;
  readonly tasks: { readonly least: number; readonly most: number };
  readonly callsPerTask: number;
  /** Live calls at which a task refuses: twice what scaling aims at. */
  readonly maxCalls: number;
  /** As written in `relay`. */
  readonly relay: RelaySettings;
  /** The same, as the relay will read them. What the stack itself sets is a placeholder here. */
  readonly relayConfig: RelayConfig;
}

/** Settings that are wrong: one line each, which names the setting and says what to write. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
  }
}

const HOST_NAME = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const ZONE_ID = /^Z[A-Z0-9]{1,31}$/;
const CERTIFICATE_ARN = /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/;
const IMAGE = /^[a-z0-9][A-Za-z0-9._/:@-]{1,254}$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/**
 * Reads the settings from CDK's context, all at once, so that one synth shows every wrong one.
 *
 * @param context every key; those of the CDK and of its feature flags are passed over
 * @throws {SettingsError}
 */
export function parseSettings(context: Readonly<Record<string, unknown>>): CallscriptSettings {
  const read = new ContextReader(context);
  const alarmEmail = read.text('alarmEmail', EMAIL);
  const traceCollector = read.text('traceCollector', IMAGE);
  const callsPerTask = read.whole('callsPerTask', 1, 50_000);
  const relay = read.relay();
  const settings = {
    endpoint: endpoint(read),
    egress: read.oneOf('egress', EGRESS),
    flowLogs: read.truth('flowLogs'),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
    customerManagedKey: read.truth('customerManagedKey'),
    cpuArchitecture: read.oneOf('cpuArchitecture', ARCHITECTURES),
    baseImage: read.text('baseImage', IMAGE) ?? '',
    ...(traceCollector === undefined ? {} : { traceCollector }),
    tasks: tasks(read),
    callsPerTask,
    maxCalls: 2 * callsPerTask,
    relay,
  };
  const config = read.checked(() => relayConfig(relay, settings.maxCalls));
  if (config === undefined || read.problems.length > 0) throw new SettingsError(read.problems);
  return { ...settings, relayConfig: config };
}

function endpoint(read: ContextReader): EndpointSettings {
  const domainName = read.text('domainName', HOST_NAME);
  const hostedZoneId = read.text('hostedZoneId', ZONE_ID);
  const certificateArn = read.text('certificateArn', CERTIFICATE_ARN);
  if (hostedZoneId !== undefined && certificateArn !== undefined) {
    read.problems.push('hostedZoneId, certificateArn: set one of them, not both');
  } else if (domainName !== undefined) {
    if (hostedZoneId !== undefined) return { kind: 'hosted-zone', domainName, hostedZoneId };
    if (certificateArn !== undefined) return { kind: 'certificate', domainName, certificateArn };
    const isTried = read.isSet('hostedZoneId') || read.isSet('certificateArn');
    if (!isTried)
      read.problems.push(
        'domainName: needs hostedZoneId (the certificate is made for you) or certificateArn (you have one)',
      );
  } else if ((hostedZoneId ?? certificateArn) !== undefined && !read.isSet('domainName')) {
    const key = hostedZoneId === undefined ? 'certificateArn' : 'hostedZoneId';
    read.problems.push(`${key}: needs domainName, the host name of the relay, such as calls.example.com`);
  }
  return { kind: 'cloudfront' };
}

function tasks(read: ContextReader): CallscriptSettings['tasks'] {
  const [least = 0, most = 0] = (read.text('tasks', /^\d{1,4}-\d{1,4}$/) ?? '2-2').split('-').map(Number);
  if (least < 2 || most < least) read.refuse('tasks');
  return { least, most };
}
