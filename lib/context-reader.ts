import { ConfigError, type RelayConfig } from '../runtime/config';
import { DEPLOY_SETTINGS, type DeploySettingName } from './deploy-settings';
import { refusalOf, type RelaySettings } from './relay-environment';

/** Reads one key after the other and collects what is wrong. Blank means absent. */
export class ContextReader {
  readonly problems: string[];
  readonly #context: Readonly<Record<string, unknown>>;

  constructor(context: Readonly<Record<string, unknown>>) {
    this.#context = context;
    this.problems = Object.keys(context).filter(isUnknown).map(unknownKey);
  }

  isSet(name: DeploySettingName): boolean {
    return this.#given(name) !== '';
  }

  text(name: DeploySettingName, shape: RegExp): string | undefined {
    const value = this.#value(name);
    if (value === '') return undefined;
    return shape.test(value) ? value : this.refuse(name);
  }

  whole(name: DeploySettingName, least: number, most: number): number {
    const value = Number(this.text(name, /^\d{1,9}$/) ?? least);
    if (value >= least && value <= most) return value;
    this.refuse(name);
    return least;
  }

  oneOf<T extends string>(name: DeploySettingName, allowed: readonly [T, ...T[]]): T {
    const value = this.#value(name);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.refuse(name);
    return found ?? allowed[0];
  }

  truth(name: DeploySettingName): boolean {
    return this.oneOf(name, ['true', 'false']) === 'true';
  }

  relay(): RelaySettings {
    const entries = Object.entries(this.#object('relay') ?? {});
    const allowed = entries.filter(([name]) => {
      const refusal = refusalOf(name);
      if (refusal !== undefined) this.problems.push(`relay.${name}: ${refusal}`);
      return refusal === undefined;
    });
    return Object.fromEntries(allowed.map(([name, value]) => [name, textOf(value)]));
  }

  /** Takes what the relay itself says of its settings. */
  checked(load: () => RelayConfig): RelayConfig | undefined {
    try {
      return load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.problems.push(...error.problems.map((problem) => `relay.${problem}`));
      return undefined;
    }
  }

  /** Says what to write and not the value: somebody may have put a secret there. */
  refuse(name: DeploySettingName): undefined {
    const problem = `${name}: is something else than allowed; write ${DEPLOY_SETTINGS[name].allowed}`;
    if (!this.problems.includes(problem)) this.problems.push(problem);
    return undefined;
  }

  #given(name: DeploySettingName): string {
    return textOf(this.#context[name] ?? '').trim();
  }

  #value(name: DeploySettingName): string {
    const value = this.#given(name);
    return value === '' ? (DEPLOY_SETTINGS[name].fallback ?? '') : value;
  }

  #object(name: DeploySettingName): object | undefined {
    try {
      const value: unknown = JSON.parse(this.#value(name));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    } catch {
      // Said below.
    }
    return this.refuse(name);
  }
}

/** Keys of the CDK hold a colon, a slash or a hyphen; ours and their misspellings are letters. */
function isUnknown(key: string): boolean {
  return /^[A-Za-z_]+$/.test(key) && !Object.hasOwn(DEPLOY_SETTINGS, key);
}

function unknownKey(key: string): string {
  const names = Object.keys(DEPLOY_SETTINGS);
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const meant = names.find((name) => plain(name) === plain(key));
  if (meant !== undefined) return `${key}: no such setting; write ${meant}`;
  const advice =
    refusalOf(key) === undefined ? `; write it into relay, such as -c relay='{"${key}":"..."}'` : '';
  return `${key}: no such setting${advice || `; there are ${names.join(', ')}`}`;
}

/** A context value from `cdk.json` may be a number, a truth value or JSON. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
