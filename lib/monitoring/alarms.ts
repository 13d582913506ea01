import type { MetricName, SumName } from '../../runtime/contract/metrics';

/** A metric of the relay; with a label value, of that alone. */
export interface RelayMetric {
  readonly from: 'relay';
  readonly name: MetricName | SumName;
  readonly label?: string;
}

/** One count of the relay as a share of another, in percent; 0 while the count is below `least`. */
export interface RelayShare {
  readonly from: 'relay-share';
  readonly count: MetricName | SumName;
  readonly among: MetricName | SumName;
  readonly least: number;
}

/** A metric that AWS makes of one of the relay's resources. */
export interface AwsMetric {
  readonly from: 'service' | 'target-group' | 'load-balancer' | 'table';
  readonly name: string;
  /** Another one, added to it; either counts as 0 where it has no data. */
  readonly plus?: string;
}

export interface AlarmDeclaration {
  readonly id: string;
  /** Page: somebody gets up. Ticket: in working hours. */
  readonly severity: 'page' | 'ticket';
  /** What is wrong when it goes off. The heading of its id in docs/runbook.md says what to do. */
  readonly description: string;
  readonly metric: RelayMetric | RelayShare | AwsMetric;
  readonly statistic: 'Sum' | 'Average' | 'Minimum' | 'Maximum' | 'SampleCount' | 'p95';
  /** Off above or at this; with `below`, off below it. */
  readonly threshold: { readonly atLeast: number } | { readonly below: number | 'least tasks' };
  /** 60 or a multiple of it. */
  readonly periodSeconds: number;
  /** So many periods are looked at (default 1), and so many of them (default all) must be over the threshold. */
  readonly periods?: number;
  readonly datapoints?: number;
  /** What a period without data says. */
  readonly missing: 'fine' | 'breaching';
  /** A deployment that moves it is rolled back: only what a hand-over and empty secrets do not move. */
  readonly rollsBack?: true;
}

const MINUTE = 60;
const relay = (name: RelayMetric['name'], label?: string): RelayMetric => ({
  from: 'relay',
  name,
  ...(label === undefined ? {} : { label }),
});
/** Every task says every minute what it lacks; a minute may fall between two of its lines. */
const MOST_OF_FIVE_MINUTES = { periodSeconds: MINUTE, periods: 5, datapoints: 4 };
const FIVE_MINUTES = { periodSeconds: 5 * MINUTE };

/** Every alarm there is, the worst first. Another one is another entry here and a heading in docs/runbook.md. */
export const ALARMS: readonly AlarmDeclaration[] = [
  {
    id: 'nothing-emitted',
    severity: 'page',
    description: 'No task has written a metric for five minutes: either none runs, or nobody can see.',
    metric: relay('callsLive'),
    statistic: 'SampleCount',
    threshold: { below: 1 },
    periodSeconds: MINUTE,
    periods: 5,
    missing: 'breaching',
  },
  {
    id: 'calls-failed',
    severity: 'page',
    description: 'The transcription of a call was given up.',
    metric: relay('callsFailed'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'calls-untranscribed',
    severity: 'page',
    description:
      'Two or more calls, and at least a fifth of all, ended with more than ten seconds of audio and not one word.',
    metric: { from: 'relay-share', count: 'legsUntranscribed', among: 'legsEnded', least: 2 },
    statistic: 'Sum',
    threshold: { atLeast: 20 },
    periodSeconds: 15 * MINUTE,
    missing: 'fine',
  },
  {
    id: 'calls-refused',
    severity: 'page',
    description: 'The relay refused a stream or a webhook of Twilio: that call goes without a transcript.',
    metric: relay('callsRefused'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'calls-not-reattached',
    severity: 'page',
    description: 'A live call lost its stream and got no new one: the rest of it goes without a transcript.',
    metric: relay('reattachmentsFailed'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    // Of those that are signed: a forger beside live calls is a ticket.
    id: 'signatures-refused',
    severity: 'page',
    description:
      'The signature of at least half of the requests does not fit: a wrong auth token or public URL loses every call.',
    metric: { from: 'relay-share', count: 'signaturesRefused', among: 'signaturesChecked', least: 3 },
    statistic: 'Sum',
    threshold: { atLeast: 50 },
    periodSeconds: 15 * MINUTE,
    missing: 'fine',
  },
  {
    id: 'no-gladia-key',
    severity: 'page',
    description: 'The secret with the Gladia key is empty or cannot be read: no call is transcribed.',
    metric: relay('unready', 'no-gladia-key'),
    statistic: 'Maximum',
    threshold: { atLeast: 1 },
    ...MOST_OF_FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'no-twilio-token',
    severity: 'page',
    description: 'The secret with the Twilio auth token is empty or cannot be read: every call is refused.',
    metric: relay('unready', 'no-twilio-token'),
    statistic: 'Maximum',
    threshold: { atLeast: 1 },
    ...MOST_OF_FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'store-unreachable',
    severity: 'page',
    description: 'The table does not answer: transcripts wait in memory and are lost when a task stops.',
    metric: relay('unready', 'store-unreachable'),
    statistic: 'Maximum',
    threshold: { atLeast: 1 },
    ...MOST_OF_FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'gladia-errors',
    severity: 'page',
    description: 'Gladia fails on requests for sessions: audio is kept for ten minutes of a call, then lost.',
    metric: relay('speechErrors'),
    statistic: 'Sum',
    threshold: { atLeast: 10 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'backlog-dropped',
    severity: 'page',
    description: 'A backlog was full and the oldest audio was dropped: it will be in no transcript.',
    metric: relay('audioDropped'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'store-write-failures',
    severity: 'page',
    description: 'Writes to the table were given up: a transcript has holes.',
    metric: relay('storeFailures'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'relay-faults',
    severity: 'page',
    description: 'The relay met a fault of its own: nobody else can have caused it.',
    metric: relay('faults'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
    rollsBack: true,
  },
  {
    id: 'unhealthy-targets',
    severity: 'page',
    description: 'A task does not answer its health check: it will be stopped with its calls.',
    metric: { from: 'target-group', name: 'UnHealthyHostCount' },
    statistic: 'Maximum',
    threshold: { atLeast: 1 },
    periodSeconds: MINUTE,
    periods: 3,
    missing: 'fine',
    rollsBack: true,
  },
  {
    id: 'load-balancer-5xx',
    severity: 'page',
    description: 'The load balancer found no task, or none that would answer in time.',
    // 501 and 502 are left out: strangers can cause them, with requests that no server takes.
    metric: { from: 'load-balancer', name: 'HTTPCode_ELB_503_Count', plus: 'HTTPCode_ELB_504_Count' },
    statistic: 'Sum',
    threshold: { atLeast: 5 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'relay-5xx',
    severity: 'ticket',
    description: 'Tasks answered with errors, refusals among them.',
    metric: { from: 'target-group', name: 'HTTPCode_Target_5XX_Count' },
    statistic: 'Sum',
    threshold: { atLeast: 5 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'some-signatures-refused',
    severity: 'ticket',
    description:
      'The signature of some requests does not fit: a number or account with another token or URL, or a forger.',
    metric: relay('signaturesRefused'),
    statistic: 'Sum',
    threshold: { atLeast: 3 },
    periodSeconds: 15 * MINUTE,
    missing: 'fine',
  },
  {
    id: 'unsigned-requests',
    severity: 'ticket',
    description:
      'Requests came without a signature: a stranger, or a proxy takes the header off, which loses every call.',
    metric: relay('unsignedRefused'),
    statistic: 'Sum',
    threshold: { atLeast: 10 },
    periodSeconds: 15 * MINUTE,
    missing: 'fine',
  },
  {
    id: 'tickets-unchecked',
    severity: 'ticket',
    description:
      'For 15 minutes streams were taken without a check of their ticket: an old signature is enough.',
    metric: relay('ticketFaults'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    periods: 3,
    missing: 'fine',
  },
  {
    id: 'task-died',
    severity: 'ticket',
    description: 'A task ended without handing its calls over; others have taken them.',
    metric: relay('legsTakenOver'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'hand-overs-failing',
    severity: 'ticket',
    description: 'A task that must go has tried again and again to hand calls over.',
    metric: relay('handOversFailed'),
    statistic: 'Sum',
    threshold: { atLeast: 5 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'leases-failing',
    severity: 'ticket',
    description:
      'For as long as a lease lasts, a task could not renew its own or read those of others: a call that loses its task may be found late.',
    metric: relay('leaseFailures'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    // RunningTaskCount exists with Container Insights only, which is paid for; this is free, and a task that runs
    // without being healthy does not count.
    id: 'too-few-tasks',
    severity: 'ticket',
    description: 'For ten minutes fewer tasks were healthy than the service must have.',
    metric: { from: 'target-group', name: 'HealthyHostCount' },
    statistic: 'Minimum',
    threshold: { below: 'least tasks' },
    periodSeconds: MINUTE,
    periods: 10,
    missing: 'breaching',
  },
  {
    id: 'gladia-limit',
    severity: 'ticket',
    description:
      "Gladia refused sessions with 429: the account's limit is reached and calls are transcribed late.",
    metric: relay('speechLimited'),
    statistic: 'Sum',
    threshold: { atLeast: 1 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'audio-lost',
    severity: 'ticket',
    description: 'Ten seconds of audio or more are in no transcript; the ledgers of the calls say why.',
    metric: relay('audioLost'),
    statistic: 'Sum',
    threshold: { atLeast: 10_000 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'finals-late',
    severity: 'ticket',
    description: 'For 15 minutes one final in twenty came five seconds or more after its last word.',
    metric: relay('finalLatency'),
    statistic: 'p95',
    threshold: { atLeast: 5_000 },
    ...FIVE_MINUTES,
    periods: 3,
    missing: 'fine',
  },
  {
    id: 'store-writes-waiting',
    severity: 'ticket',
    description: 'A thousand writes or more wait in a task: the table is slower than the calls.',
    metric: relay('storeQueue'),
    statistic: 'Maximum',
    threshold: { atLeast: 1_000 },
    ...MOST_OF_FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'table-throttles',
    severity: 'ticket',
    description: 'DynamoDB throttles writes: they are tried again, and wait.',
    metric: { from: 'table', name: 'WriteThrottleEvents' },
    statistic: 'Sum',
    threshold: { atLeast: 10 },
    ...FIVE_MINUTES,
    missing: 'fine',
  },
  {
    id: 'cpu-high',
    severity: 'ticket',
    description: 'For ten minutes the tasks used 80 % of their CPU: scaling does not keep up.',
    metric: { from: 'service', name: 'CPUUtilization' },
    statistic: 'Average',
    threshold: { atLeast: 80 },
    periodSeconds: MINUTE,
    periods: 10,
    missing: 'fine',
  },
  {
    id: 'memory-high',
    severity: 'ticket',
    description: 'For ten minutes a task used 85 % of its memory: at 100 % it is stopped with its calls.',
    metric: { from: 'service', name: 'MemoryUtilization' },
    statistic: 'Maximum',
    threshold: { atLeast: 85 },
    periodSeconds: MINUTE,
    periods: 10,
    missing: 'fine',
  },
];

/**
 * Names of alarms begin with their severity, so that a pager can subscribe to pages alone; they do not depend on
 * generated ids, so that the service can name alarms that are made beside it.
 */
export function alarmName(
  stackName: string,
  { id, severity }: Pick<AlarmDeclaration, 'id' | 'severity'>,
): string {
  return `${stackName}-${severity}-${id}`;
}

/** Alarms that roll a deployment of the service back. */
export function rollbackAlarmNames(stackName: string): string[] {
  return ALARMS.filter(({ rollsBack }) => rollsBack).map((alarm) => alarmName(stackName, alarm));
}
