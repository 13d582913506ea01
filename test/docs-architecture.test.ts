import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FRAMES, PARTS } from '../local/architecture/parts';
import { architecturePicture } from '../local/architecture-picture';
import { makeStacks, resourcesOf, templatesOf, WAYS, type DeployContext } from './support/stacks';

/** What no reader of a picture looks for: wires, permissions, and what CloudFormation needs to do its work. */
const PLUMBING = [
  /^AWS::IAM::/,
  /^AWS::EC2::(EIP|Route|RouteTable|Subnet|SubnetRouteTableAssociation|VPCGatewayAttachment)$/,
  /^AWS::EC2::SecurityGroup/,
  /^AWS::ElasticLoadBalancingV2::ListenerRule$/,
  /^AWS::SNS::TopicPolicy$/,
  /^AWS::Logs::QueryDefinition$/,
  /^AWS::Lambda::Function$/,
  /^Custom::/,
];

function typesOf(context: DeployContext): ReadonlySet<string> {
  const { store, relay } = templatesOf(makeStacks(context));
  return new Set([...resourcesOf(store), ...resourcesOf(relay)].map(({ type }) => type));
}

const byDefault = typesOf(WAYS.default);
const withDomain = typesOf(WAYS.domain);
const drawn = new Map<string, 'domain' | 'always'>();
for (const { types } of FRAMES) for (const type of types) drawn.set(type, 'always');
for (const { types, when = 'always' } of PARTS) for (const type of types) drawn.set(type, when);

function drawnWhen(when: 'domain' | 'always'): string[] {
  return [...drawn].filter(([, value]) => value === when).map(([type]) => type);
}

test('everything in the templates is in the picture, but for plumbing', () => {
  const missing = [...byDefault, ...withDomain].filter(
    (type) => !drawn.has(type) && !PLUMBING.some((pattern) => pattern.test(type)),
  );
  expect(missing).toEqual([]);
});

test('nothing is in the picture that is not in the templates', () => {
  expect(drawnWhen('always').filter((type) => !byDefault.has(type))).toEqual([]);
  expect(drawnWhen('domain').filter((type) => !withDomain.has(type))).toEqual([]);
});

test('what is drawn as an alternative is one: the default has none of it, and the domain no CloudFront', () => {
  expect(drawnWhen('domain').filter((type) => byDefault.has(type))).toEqual([]);
  expect([...withDomain].filter((type) => type.startsWith('AWS::CloudFront::'))).toEqual([]);
});

test('what is drawn in the store is in the store', () => {
  const { store } = templatesOf(makeStacks());
  const storeTypes = new Set(resourcesOf(store).map(({ type }) => type));
  const frame = FRAMES.find(({ name }) => name.startsWith('CallscriptStore'));
  const [left = 0, top = 0, width = 0, height = 0] = frame?.area ?? [];
  const inside = PARTS.filter(
    ({ area: [x, y] }) => x > left && x < left + width && y > top && y < top + height,
  );
  expect(new Set(inside.flatMap(({ types }) => types))).toEqual(storeTypes);
});

test('architecture.svg is what node --import tsx local/architecture-picture.ts draws', () => {
  expect(readFileSync(join(__dirname, '../docs/architecture.svg'), 'utf8')).toBe(architecturePicture());
});
