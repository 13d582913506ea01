import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import cdkJson from '../../cdk.json';
import { RelayStack } from '../../lib/relay-stack';
import { parseSettings } from '../../lib/settings';
import { StoreStack } from '../../lib/store-stack';

export type DeployContext = Readonly<Record<string, unknown>>;

/** The settings that issue and documents call by name. */
export const WAYS = {
  default: {},
  domain: { domainName: 'calls.example.com', hostedZoneId: 'Z0123456789ABCDEFGHIJ' },
  certificate: {
    domainName: 'calls.example.com',
    certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
  },
  'public egress': { egress: 'public' },
} as const satisfies Record<string, DeployContext>;

export interface Stacks {
  readonly app: App;
  readonly store: StoreStack;
  readonly relay: RelayStack;
}

const assemblies = mkdtempSync(join(tmpdir(), 'callscript-stacks-'));
afterAll(() => rmSync(assemblies, { recursive: true, force: true }));

/** What a synth spends half of its time on, and no template shows. */
const QUICK = { 'aws:cdk:disable-stack-trace': true, 'aws:cdk:disable-asset-staging': true };

export interface StacksOptions {
  /** Default: one that needs no bundle. */
  readonly image?: ContainerImage;
  /** Whether CDK validates the templates when they are synthesised, which takes seconds. Default: no. */
  readonly isValidated?: boolean;
}

/** Both stacks as `bin/app.ts` makes them. */
export function makeStacks(
  context: DeployContext = {},
  { image = ContainerImage.fromRegistry('relay:test'), isValidated = false }: StacksOptions = {},
): Stacks {
  const app = new App({
    context: { ...cdkJson.context, ...QUICK },
    builtinCloudFormationValidation: isValidated,
    treeMetadata: false,
    analyticsReporting: false,
    outdir: mkdtempSync(join(assemblies, 'app-')),
  });
  const settings = parseSettings(context);
  const store = new StoreStack(app, 'CallscriptStore', settings);
  const relay = new RelayStack(app, 'CallscriptRelay', { settings, store, image });
  return { app, store, relay };
}

export interface Resource {
  readonly id: string;
  readonly type: string;
  // Of any shape: templates are read with paths that a test knows.
  readonly properties: Readonly<Record<string, any>>; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export function resourcesOf(template: Template, type?: string): readonly Resource[] {
  const all = template.toJSON()['Resources'] as Record<string, { Type: string; Properties?: object }>;
  return Object.entries(all)
    .map(([id, { Type, Properties }]) => ({ id, type: Type, properties: Properties ?? {} }))
    .filter((resource) => type === undefined || resource.type === type);
}

/** Logical ids of what is made before, and deleted after. */
export function dependenciesOf(template: Template, id: string): readonly string[] {
  const resource = (template.toJSON()['Resources'] as Record<string, { DependsOn?: string | string[] }>)[id];
  return [resource?.DependsOn ?? []].flat();
}

export function templatesOf({ store, relay }: Stacks): {
  readonly store: Template;
  readonly relay: Template;
} {
  return { store: Template.fromStack(store), relay: Template.fromStack(relay) };
}
