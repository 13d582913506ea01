import { Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  LogQueryWidget,
  SingleValueWidget,
  TextWidget,
  type Alarm,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { MetricName, SumName } from '../../runtime/contract/metrics';
import type { AwsMetric } from './alarms';
import type { MetricSources } from './metric-sources';
import { FAILED_CALLS } from './saved-queries';

export interface RelayDashboardProps {
  readonly sources: MetricSources;
  readonly alarms: readonly Alarm[];
  readonly logGroup: Pick<ILogGroup, 'logGroupName'>;
}

interface LabelGraph {
  readonly statistic?: 'Sum' | 'Maximum';
  readonly width?: number;
}

const PERIOD_SECONDS = 60;
const FULL_WIDTH = 24;

/**
 * Are calls being transcribed right now? The first row says it in numbers and lights; the rows below it say where a
 * word is lost: on its way through the relay, at Gladia, at the door, in the store, in a task.
 */
export class RelayDashboard extends Construct {
  readonly url: string;
  readonly #sources: MetricSources;

  constructor(scope: Construct, id: string, { sources, alarms, logGroup }: RelayDashboardProps) {
    super(scope, id);
    this.#sources = sources;
    const dashboard = new Dashboard(this, 'Dashboard');
    for (const row of this.#rows(alarms, logGroup)) dashboard.addWidgets(...row);
    const { region } = Stack.of(this);
    this.url = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard.dashboardName}`;
  }

  #rows(
    alarms: readonly Alarm[],
    logGroup: RelayDashboardProps['logGroup'],
  ): readonly (readonly IWidget[])[] {
    return [
      [
        new TextWidget({
          markdown:
            '## Are calls being transcribed right now?\nYes: words come while calls are live, nothing is red. No: docs/runbook.md has a heading for each red light.',
          width: FULL_WIDTH,
          height: 2,
        }),
      ],
      [this.#now(), this.#soFar()],
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: FULL_WIDTH, height: 5 })],
      [
        this.#graph('Words a minute, while calls are live', ['segments', 'partials'], ['callsLive']),
        this.#graph('Audio, milliseconds a minute', [
          'audioReceived',
          'audioForwarded',
          'audioFilled',
          'audioResent',
          'audioDropped',
          'audioLost',
        ]),
      ],
      [
        this.#latency('Finals: latency, milliseconds', 'finalLatency', 12),
        this.#latency('Partials: latency, milliseconds', 'partialLatency', 12),
      ],
      [
        this.#latency('Of it in the relay', 'relayLatency', 8),
        this.#latency('Of it at Gladia', 'speechLatency', 8),
        this.#latency('From final to table', 'storeLatency', 8),
      ],
      [
        this.#latency('First partial of a leg', 'firstPartial', 8),
        this.#latency('First final of a leg', 'firstFinal', 8),
        this.#graph('Calls', ['callsStarted', 'callsEnded'], ['callsLive'], 8),
      ],
      [
        this.#graph(
          'Gladia: sessions',
          ['sessionsOpened', 'sessionsResumed', 'sessionSocketsLost'],
          ['sessionsLive'],
        ),
        this.#byLabel('Gladia: requests that failed, by error', 'sessionRequestsFailed', { width: 12 }),
      ],
      [
        this.#byLabel('Calls that failed, by reason', 'callsFailed', { width: 6 }),
        this.#byLabel('Refused, by reason', 'requestsRefused', { width: 6 }),
        this.#byLabel('Tickets not checked, by fault', 'ticketFaults', { width: 6 }),
        this.#byLabel('Not ready, by reason', 'unready', { statistic: 'Maximum', width: 6 }),
      ],
      [
        this.#graph('Store: writes', ['storeWrites', 'storeRetries', 'storeFailures'], ['storeQueue']),
        this.#graph('Waiting for Gladia, milliseconds', ['backlog', 'unacknowledged', 'audioLate']),
      ],
      [
        this.#latency('Event loop: longest wait of each second, milliseconds', 'eventLoopDelay', 12),
        new GraphWidget({
          title: 'Memory, bytes',
          left: (['residentMemory', 'heapUsed', 'audioHeld'] as const).map((name) =>
            this.#metric(name, 'Maximum'),
          ),
          width: 12,
        }),
      ],
      [
        this.#aws('Tasks', 'target-group', [
          ['HealthyHostCount', 'Minimum'],
          ['UnHealthyHostCount', 'Maximum'],
        ]),
        this.#aws('CPU and memory, %', 'service', [
          ['CPUUtilization', 'Average'],
          ['MemoryUtilization', 'Maximum'],
        ]),
        new GraphWidget({
          title: 'Errors answered to Twilio',
          left: [
            this.#awsMetric('target-group', 'HTTPCode_Target_5XX_Count', 'Sum'),
            this.#awsMetric('load-balancer', 'HTTPCode_ELB_5XX_Count', 'Sum'),
          ],
          width: 8,
        }),
      ],
      [
        new LogQueryWidget({
          title: FAILED_CALLS.name,
          logGroupNames: [logGroup.logGroupName],
          queryString: FAILED_CALLS.query,
          width: FULL_WIDTH,
          height: 6,
        }),
      ],
    ];
  }

  #now(): IWidget {
    return new SingleValueWidget({
      title: 'Now',
      metrics: [
        this.#metric('callsLive', 'Sum', 'calls live'),
        this.#metric('segments', 'Sum', 'segments a minute'),
        this.#metric('finalLatency', 'p95', 'final, p95 ms'),
        this.#metric('unready', 'Maximum', 'not ready'),
      ],
      width: 12,
      height: 4,
    });
  }

  #soFar(): IWidget {
    return new SingleValueWidget({
      title: 'In the time range above',
      setPeriodToTimeRange: true,
      metrics: [
        this.#metric('legsEnded', 'Sum', 'streams ended'),
        this.#metric('callsFailed', 'Sum', 'failed'),
        this.#metric('legsUntranscribed', 'Sum', 'without a word'),
        this.#metric('callsRefused', 'Sum', 'refused'),
        this.#metric('audioLost', 'Sum', 'audio lost, ms'),
      ],
      width: 12,
      height: 4,
    });
  }

  #metric(
    name: MetricName | SumName,
    statistic: 'Sum' | 'Maximum' | 'p50' | 'p95' | 'p99',
    label?: string,
  ): IMetric {
    const reading = { period: PERIOD_SECONDS, statistic, ...(label === undefined ? {} : { label }) };
    return this.#sources.metric({ from: 'relay', name }, reading);
  }

  /** Every task writes its gauges once a minute, so that their sum is the service's. */
  #graph(title: string, left: readonly MetricName[], right: readonly MetricName[] = [], width = 12): IWidget {
    return new GraphWidget({
      title,
      left: left.map((name) => this.#metric(name, 'Sum')),
      right: right.map((name) => this.#metric(name, 'Sum')),
      width,
    });
  }

  #latency(title: string, name: MetricName, width: number): IWidget {
    const left = (['p50', 'p95', 'p99'] as const).map((statistic) =>
      this.#metric(name, statistic, statistic),
    );
    return new GraphWidget({ title, left, width });
  }

  #byLabel(title: string, name: MetricName, { statistic = 'Sum', width = 8 }: LabelGraph = {}): IWidget {
    const left = [this.#sources.byLabel(name, { period: PERIOD_SECONDS, statistic })];
    return new GraphWidget({ title, left, width });
  }

  #aws(
    title: string,
    from: AwsMetric['from'],
    names: readonly (readonly [name: string, statistic: 'Average' | 'Minimum' | 'Maximum'])[],
  ): IWidget {
    const left = names.map(([name, statistic]) => this.#awsMetric(from, name, statistic));
    return new GraphWidget({ title, left, width: 8 });
  }

  #awsMetric(
    from: AwsMetric['from'],
    name: string,
    statistic: 'Sum' | 'Average' | 'Minimum' | 'Maximum',
  ): IMetric {
    return this.#sources.metric({ from, name }, { period: PERIOD_SECONDS, statistic });
  }
}
