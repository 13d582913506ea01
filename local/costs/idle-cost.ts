import { HOURS_A_MONTH, PRICES } from './prices';

export const ENDPOINTS = ['CloudFront', 'own domain'] as const;
export const EGRESSES = ['nat', 'nat-per-zone', 'public'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];
export type Egress = (typeof EGRESSES)[number];

/** What the stacks hold when nobody calls. test/docs-costs.test.ts compares it with the templates. */
export const IDLE = {
  zones: 2,
  tasks: 2,
  vcpuPerTask: 1,
  memoryGbPerTask: 2,
  secrets: 3,
  /** At most: rounded up, so that a new metric does not change the page. */
  metrics: 60,
  alarms: 30,
  dashboards: 1,
  /** Of the topic that alarms go to. */
  keys: 1,
  /** One line of metrics from each task, which is all that an idle relay logs; rounded up. */
  logBytesPerTaskMinute: 4000,
  /** Each task reads each secret this often. */
  secretReadMinutes: 5,
  /** The lease of a task, renewed every 5 s. */
  tableWritesPerTaskMinute: 12,
  /** Read units: a task's mail (12), the leases of all (24), the live legs of all (16), and whether the table answers (2). */
  tableReadsPerTaskMinute: 54,
} as const;

export type StackName = 'CallscriptRelay' | 'CallscriptStore';

export interface CostLine {
  readonly stack: StackName;
  readonly what: string;
  readonly howMany: string;
  /** US dollars a month. */
  readonly usd: number;
}

const MINUTES_A_MONTH = HOURS_A_MONTH * 60;

/** What every choice of endpoint and egress costs. */
export function sharedLines(): readonly CostLine[] {
  const { tasks, vcpuPerTask, memoryGbPerTask, secrets, metrics, alarms, dashboards, keys } = IDLE;
  const taskHour = vcpuPerTask * PRICES.vcpu.usd + memoryGbPerTask * PRICES.memory.usd;
  const reads = (tasks * secrets * MINUTES_A_MONTH) / IDLE.secretReadMinutes;
  const minutes = tasks * MINUTES_A_MONTH;
  const tableUsd =
    (minutes * IDLE.tableWritesPerTaskMinute * PRICES.write.usd) / 1e6 +
    (minutes * IDLE.tableReadsPerTaskMinute * PRICES.read.usd) / 1e6;
  const logGb = (tasks * IDLE.logBytesPerTaskMinute * MINUTES_A_MONTH) / 1e9;
  const size = `${vcpuPerTask} vCPU, ${memoryGbPerTask} GB, Graviton`;
  const relay = 'CallscriptRelay';
  const store = 'CallscriptStore';
  return [
    { stack: relay, what: 'tasks', howMany: `${tasks} of ${size}`, usd: tasks * taskHour * HOURS_A_MONTH },
    { stack: relay, what: 'load balancer', howMany: '1', usd: PRICES.balancer.usd * HOURS_A_MONTH },
    { stack: relay, what: 'its metrics', howMany: `at most ${metrics}`, usd: metrics * PRICES.metric.usd },
    { stack: relay, what: 'alarms', howMany: `at most ${alarms}`, usd: alarms * PRICES.alarm.usd },
    { stack: relay, what: 'dashboard', howMany: `${dashboards}`, usd: dashboards * PRICES.dashboard.usd },
    { stack: relay, what: 'key of the alarms', howMany: `${keys}`, usd: keys * PRICES.key.usd },
    { stack: relay, what: 'logs', howMany: 'one line a minute and task', usd: logGb * PRICES.logs.usd },
    {
      stack: relay,
      what: 'reading the secrets',
      howMany: `each task, every ${IDLE.secretReadMinutes} min`,
      usd: (reads / 10_000) * PRICES.secretRead.usd,
    },
    {
      stack: relay,
      what: 'requests to the table',
      howMany: 'each task tells that it lives, and looks who died',
      usd: tableUsd,
    },
    { stack: relay, what: 'CloudFront, VPC endpoint', howMany: 'nothing without calls', usd: 0 },
    { stack: store, what: 'secrets', howMany: `${secrets}`, usd: secrets * PRICES.secret.usd },
    { stack: store, what: 'table', howMany: 'nothing without tasks and calls', usd: 0 },
  ];
}

/** What one choice of endpoint and egress adds. */
export function ownLines(endpoint: Endpoint, egress: Egress): readonly CostLine[] {
  const address = PRICES.publicAddress.usd * HOURS_A_MONTH;
  const gateway = PRICES.nat.usd * HOURS_A_MONTH + address;
  const gateways = { nat: 1, 'nat-per-zone': IDLE.zones, public: 0 }[egress];
  const taskAddresses = egress === 'public' ? IDLE.tasks : 0;
  const balancerAddresses = endpoint === 'own domain' ? IDLE.zones : 0;
  const lines = [
    { what: 'NAT gateway with its public address', count: gateways, usd: gateways * gateway },
    { what: 'public address of a task', count: taskAddresses, usd: taskAddresses * address },
    {
      what: 'public address of the load balancer',
      count: balancerAddresses,
      usd: balancerAddresses * address,
    },
  ];
  return lines
    .filter(({ count }) => count > 0)
    .map(({ what, count, usd }) => ({ stack: 'CallscriptRelay', what, howMany: `${count}`, usd }));
}

/** @returns US dollars a month, of both stacks or of one */
export function idleUsd(endpoint: Endpoint, egress: Egress, stack?: StackName): number {
  const lines = [...sharedLines(), ...ownLines(endpoint, egress)];
  return sum(stack === undefined ? lines : lines.filter((line) => line.stack === stack));
}

export function sum(lines: readonly { readonly usd: number }[]): number {
  return lines.reduce((total, { usd }) => total + usd, 0);
}
