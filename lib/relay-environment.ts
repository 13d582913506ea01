import { loadConfig, type RelayConfig } from '../runtime/config';
import { SETTINGS, type SettingName } from '../runtime/contract/settings';

/** Settings of the relay that the stack itself knows; nobody else may set them. */
export const OWNED_SETTINGS = [
  'HTTP_PORT',
  'ADMIN_PORT',
  'PUBLIC_URL',
  'TWILIO_SECRET_ARN',
  'GLADIA_SECRET_ARN',
  'TICKET_SECRET_ARN',
  'TRANSCRIPTS_TABLE',
  'AWS_REGION',
  'MAX_CALLS',
] as const satisfies readonly SettingName[];

type OwnedSetting = (typeof OWNED_SETTINGS)[number];
/** The ports are those of the contract. */
export type OwnedValues = Readonly<Record<Exclude<OwnedSetting, 'HTTP_PORT' | 'ADMIN_PORT'>, string>>;
/** What `relay` in the deployment's settings holds. */
export type RelaySettings = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Every variable of a task: all that the contract marks `aws` or `both`, so that the task definition shows what holds.
 * An empty value means off, as in the relay.
 */
export function relayEnvironment(
  owned: OwnedValues,
  chosen: RelaySettings,
): Readonly<Record<string, string>> {
  const given: RelaySettings = { ...chosen, ...owned };
  const names = Object.keys(SETTINGS) as SettingName[];
  const variables = names.filter((name) => SETTINGS[name].where !== 'local');
  return Object.fromEntries(variables.map((name) => [name, given[name] ?? SETTINGS[name].fallback ?? '']));
}

/**
 * What the relay will make of its variables, so that a wrong one is found at synth and not at a task's start.
 *
 * @throws ConfigError
 */
export function relayConfig(chosen: RelaySettings, maxCalls: number): RelayConfig {
  return loadConfig(relayEnvironment({ ...PLACEHOLDERS, MAX_CALLS: String(maxCalls) }, chosen));
}

/** Of the right shape: the values are known when the stack is deployed. */
const PLACEHOLDERS: Omit<OwnedValues, 'MAX_CALLS'> = {
  PUBLIC_URL: 'https://relay.example.com',
  TWILIO_SECRET_ARN: 'twilio',
  GLADIA_SECRET_ARN: 'gladia',
  TICKET_SECRET_ARN: 'ticket',
  TRANSCRIPTS_TABLE: 'transcripts',
  AWS_REGION: 'us-east-1',
};

/** @returns why `relay` may not set this, or nothing when it may */
export function refusalOf(name: string): string | undefined {
  if (!Object.hasOwn(SETTINGS, name)) return 'the relay has no such setting; see the table in README.md';
  const setting = SETTINGS[name as SettingName];
  if (setting.secret === true)
    return 'a secret; leave it out, deploy, and run the commands that the stack prints';
  if ((OWNED_SETTINGS as readonly string[]).includes(name)) return 'the stack sets it; leave it out';
  return setting.where === 'local' ? 'only for a relay outside of AWS; leave it out' : undefined;
}
