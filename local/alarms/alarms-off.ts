import { ALARMS, type AlarmDeclaration } from '../../lib/monitoring/alarms';
import {
  cloudWatchDimension,
  cloudWatchName,
  METRICS,
  type MetricName,
  type SumName,
} from '../../runtime/contract/metrics';
import { metricsOfLine, type EmittedMetric } from './embedded-line';

export interface AlarmsOffOptions {
  /** What the relays have written to stdout. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** So long a minute is: tests have no time for whole ones. Default: everything is of one minute. */
  readonly minuteMs?: number;
}

/** Alarms that look at metrics of the relay; the others look at what AWS measures. */
export const RELAY_ALARMS = ALARMS.filter(({ metric }) => metric.from.startsWith('relay'));

/** @returns ids of the relay's alarms that CloudWatch would set off, at any time while the lines came */
export function alarmsOff({ lines, minuteMs = Infinity }: AlarmsOffOptions): readonly string[] {
  const emitted = lines.flatMap(metricsOfLine);
  const beganMs = Math.min(...emitted.map(({ atMs }) => atMs));
  const minutes: EmittedMetric[][] = [];
  for (const metric of emitted) {
    const minute = Math.floor((metric.atMs - beganMs) / minuteMs);
    while (minutes.length <= minute) minutes.push([]);
    minutes[minute]?.push(metric);
  }
  return RELAY_ALARMS.filter((alarm) => isEverOff(alarm, minutes)).map(({ id }) => id);
}

type Minutes = readonly (readonly EmittedMetric[])[];

/** Looks after each minute, as CloudWatch does, at the periods that end there. */
function isEverOff(alarm: AlarmDeclaration, minutes: Minutes): boolean {
  const { periodSeconds, periods = 1, datapoints = periods, missing } = alarm;
  const perPeriod = periodSeconds / 60;
  // What was before the first line is not known: data that is missing there says nothing.
  const first = missing === 'breaching' ? perPeriod * periods : 1;
  for (let end = first; end <= minutes.length; end += 1) {
    let over = 0;
    for (let at = 0; at < periods; at += 1) {
      const to = end - at * perPeriod;
      const period = minutes.slice(Math.max(0, to - perPeriod), Math.max(0, to)).flat();
      const value = valueOf(alarm, period);
      if (value === undefined ? missing === 'breaching' : isOver(alarm, value)) over += 1;
    }
    if (over >= datapoints) return true;
  }
  return false;
}

function isOver({ threshold }: AlarmDeclaration, value: number): boolean {
  if ('atLeast' in threshold) return value >= threshold.atLeast;
  return threshold.below !== 'least tasks' && value < threshold.below;
}

function valueOf(
  { metric, statistic }: AlarmDeclaration,
  period: readonly EmittedMetric[],
): number | undefined {
  const read = (name: MetricName | SumName, label?: string): number | undefined =>
    statisticOf(statistic, valuesIn(period, name, label));
  if (metric.from === 'relay') return read(metric.name, metric.label);
  if (metric.from !== 'relay-share') return undefined;
  const [part, whole] = [read(metric.count), read(metric.among)];
  if (part === undefined || whole === undefined) return undefined;
  return part >= metric.least ? (100 * part) / whole : 0;
}

function valuesIn(
  period: readonly EmittedMetric[],
  name: MetricName | SumName,
  label?: string,
): readonly number[] {
  const labelName = name in METRICS ? METRICS[name as MetricName].label : undefined;
  const wanted =
    label === undefined || labelName === undefined ? {} : { [cloudWatchDimension(labelName)]: label };
  const isWanted = ({ dimensions }: EmittedMetric): boolean =>
    JSON.stringify(dimensions) === JSON.stringify(wanted);
  return period
    .filter((each) => each.name === cloudWatchName(name) && isWanted(each))
    .flatMap(({ values }) => values);
}

function statisticOf(
  statistic: AlarmDeclaration['statistic'],
  values: readonly number[],
): number | undefined {
  if (values.length === 0) return statistic === 'SampleCount' ? 0 : undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'Average':
      return sum / values.length;
    case 'Minimum':
      return Math.min(...values);
    case 'Maximum':
      return Math.max(...values);
    case 'SampleCount':
      return values.length;
    case 'p95':
      return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.95) - 1];
  }
}
