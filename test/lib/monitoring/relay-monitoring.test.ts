import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { SAVED_QUERIES } from '../../../lib/monitoring/saved-queries';
import { METRICS } from '../../../runtime/contract/metrics';
import { KNOWN_METRICS, metricId, searchedMetric } from './known-metrics';
import { monitoredStack } from './monitored-stack';

const root = join(__dirname, '../../..');
const { stack, monitoring, template } = monitoredStack({ alarmEmail: 'ops@callscript.example' });

describe('the topic', () => {
  it('is encrypted with a key that CloudWatch may use, and that goes with the stack', () => {
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'Delete',
      Properties: { EnableKeyRotation: true, KeyPolicy: allowing(['kms:Decrypt', 'kms:GenerateDataKey']) },
    });
  });

  it('lets CloudWatch of this account publish, and nobody without TLS', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', { PolicyDocument: allowing('sns:Publish') });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  it('mails when there is an address, and only then', () => {
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@callscript.example',
    });
    monitoredStack().template.resourceCountIs('AWS::SNS::Subscription', 0);
  });
});

function allowing(action: string | readonly string[]): object {
  return {
    Statement: Match.arrayWith([
      Match.objectLike({
        Effect: 'Allow',
        Action: action,
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    ]),
  };
}

interface Widget {
  readonly type: string;
  readonly properties: {
    readonly title?: string;
    readonly metrics?: readonly (readonly unknown[])[];
    readonly alarms?: readonly unknown[];
    readonly query?: string;
  };
}

/** The body with every reference replaced by its name. */
function dashboard(): readonly Widget[] {
  const [resource] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = (resource!['Properties'] as { DashboardBody: { 'Fn::Join': [string, unknown[]] } })
    .DashboardBody;
  const text = body['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'reference')).join('');
  return (JSON.parse(text) as { widgets: Widget[] }).widgets;
}
const widgets = dashboard();

/** A widget's metric is an array: namespace, name, dimensions in pairs, options; '.' repeats what is above it. */
function idsOf(metrics: readonly (readonly unknown[])[]): string[] {
  let above: readonly unknown[] = [];
  return metrics.map((metric) => {
    const expression = (metric[0] as { expression?: string }).expression;
    if (expression !== undefined) return searchedMetric(expression);
    const full = metric
      .map((part, i) => (part === '.' ? above[i] : part))
      .filter((part) => typeof part === 'string');
    above = full;
    const [namespace = '', name = '', ...dimensions] = full;
    return metricId(
      namespace,
      name,
      dimensions.filter((_, i) => i % 2 === 0),
    );
  });
}

describe('the dashboard', () => {
  it.each(widgets.filter(({ properties }) => properties.metrics !== undefined))(
    'shows metrics that the relay or AWS emits: $properties.title',
    ({ properties: { metrics = [] } }) => {
      expect(metrics.length).toBeGreaterThan(0);
      for (const id of idsOf(metrics)) expect(KNOWN_METRICS).toContain(id);
    },
  );

  it('says first whether calls are being transcribed, and shows every alarm', () => {
    const texts = widgets.map(({ properties }) => JSON.stringify(properties));
    expect(texts[0]).toContain('Are calls being transcribed right now?');
    const alarms = widgets.find(({ type }) => type === 'alarm')?.properties.alarms;
    expect(alarms).toHaveLength(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).length);
  });

  it('has no two widgets at one place, and none beyond the right edge', () => {
    const places = widgets as unknown as { x: number; y: number; width: number; height: number }[];
    for (const { x, width } of places) expect(x + width).toBeLessThanOrEqual(24);
    expect(new Set(places.map(({ x, y }) => `${x},${y}`)).size).toBe(places.length);
  });

  it('has an address', () => {
    expect(JSON.stringify(stack.resolve(monitoring.dashboardUrl))).toContain('#dashboards/dashboard/');
  });
});

describe('the saved queries', () => {
  const sources = readdirSync(join(root, 'runtime'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('dist/'))
    .map((file) => readFileSync(join(root, 'runtime', file), 'utf8'))
    .join('\n');

  it('are the five usual questions, in a folder of the stack', () => {
    const names = Object.values(template.findResources('AWS::Logs::QueryDefinition')).map(
      (query) => (query['Properties'] as { Name: string }).Name,
    );
    expect(names.toSorted()).toEqual(SAVED_QUERIES.map(({ name }) => `Test/${name}`));
    expect(names).toHaveLength(5);
  });

  it.each(SAVED_QUERIES)('look for what the relay logs: $name', ({ query }) => {
    const messages = [...query.matchAll(/"([A-Z][^"]+)"/g)].map(([, text = '']) => text);
    for (const message of messages.filter((text) => !text.startsWith('CA')))
      expect([message, sources.includes(`'${message}'`)]).toEqual([message, true]);
    const metrics = [...query.matchAll(/ispresent\(([A-Z]\w+)\)/g)].map(([, name = '']) => name);
    const labels = Object.values(METRICS).flatMap(({ label }) => label ?? []);
    const known = [...Object.keys(METRICS), ...labels].map((name) => name.toLowerCase());
    for (const name of metrics) expect(known).toContain(name.toLowerCase());
  });

  it.each(SAVED_QUERIES)('are named in the runbook: $name', ({ name }) => {
    expect(readFileSync(join(root, 'docs/runbook.md'), 'utf8')).toContain(name);
  });
});
