import { alarmsOff } from '../../local/alarms/alarms-off';
import { metricsOfLine } from '../../local/alarms/embedded-line';
import { embeddedFormatFaults } from './embedded-metric-format';
import { testWorld, type TestWorld, type TestWorldOptions } from './test-world';

/** Real time of what counts as a minute: each has its line of metrics. */
const MINUTE_MS = 100;
const WHOLE_MINUTE_MS = 60_000;

type Line = Readonly<Record<string, unknown>>;

export interface MeteredWorld extends TestWorld {
  /** Minutes told so far. */
  readonly minutes: number;
  /** Every line so far, as if minutes were whole ones. */
  readonly lines: readonly Line[];
  /** Resolves when so many minutes were told. */
  minute(count: number): Promise<void>;
  /** What Prometheus would read now. */
  scrape(): Promise<string>;
  /** Drains the relay. @returns the alarms that went off at any time */
  alarms(): Promise<readonly string[]>;
}

/** Names, with those of their dimensions, of all that any relay of this file has emitted as something but 0. */
export const EMITTED = new Set<string>();
/** Ids of all alarms that any relay of this file has set off. */
export const ALARMED = new Set<string>();
/** What CloudWatch would not have taken of it. */
export const FORMAT_FAULTS: string[] = [];

/** A world whose relay tells its metrics every minute, on a clock that is 600 times too fast. */
export async function meteredWorld(options: TestWorldOptions = {}): Promise<MeteredWorld> {
  const lines: Line[] = [];
  let minutes = 0;
  const world = await testWorld({
    ...options,
    timing: { metricsIntervalMs: MINUTE_MS, readinessIntervalMs: MINUTE_MS / 2, ...options.timing },
    writeMetrics(text) {
      FORMAT_FAULTS.push(...embeddedFormatFaults(text));
      const line = JSON.parse(text) as { readonly _aws: object };
      // The first line of each minute has the totals.
      if ('CallsLive' in line) minutes += 1;
      const told = { ...line, _aws: { ...line._aws, Timestamp: minutes * WHOLE_MINUTE_MS } };
      lines.push(told);
      for (const { name, dimensions, values } of metricsOfLine(told))
        if (values.some((value) => value !== 0)) EMITTED.add([name, ...Object.keys(dimensions)].join(' by '));
    },
  });
  return {
    ...world,
    lines,
    get minutes() {
      return minutes;
    },
    async minute(count) {
      while (minutes < count) await new Promise((resolve) => setTimeout(resolve, MINUTE_MS / 4));
    },
    scrape: async () => (await fetch(`http://127.0.0.1:${world.relay.adminPort}/metrics`)).text(),
    async alarms() {
      await world.relay.drain();
      const off = alarmsOff({ lines, minuteMs: WHOLE_MINUTE_MS });
      for (const id of off) ALARMED.add(id);
      return off;
    },
  };
}
