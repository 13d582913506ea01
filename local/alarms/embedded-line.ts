/** One metric's values on one line: a number, some, or counted ones (CloudWatch embedded metric format). */
type MetricValue = number | readonly number[] | CountedValues;

interface CountedValues {
  readonly Values: readonly number[];
  readonly Counts?: readonly number[];
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

/** A metric's values at one time. */
export interface EmittedMetric {
  readonly atMs: number;
  readonly name: string;
  /** Values of the dimensions, by name. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** What CloudWatch makes of a line that a relay has written. @returns nothing for a line of the log */
export function metricsOfLine(line: Readonly<Record<string, unknown>>): readonly EmittedMetric[] {
  const meta = line['_aws'] as
    { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] } | undefined;
  if (meta === undefined) return [];
  return meta.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name }) => ({
        atMs: meta.Timestamp,
        name: Name,
        dimensions: Object.fromEntries(names.map((name) => [name, String(line[name])])),
        values: valuesOf(line[Name] as MetricValue),
      })),
    ),
  );
}

function valuesOf(value: MetricValue): readonly number[] {
  if (typeof value === 'number') return [value];
  if (!('Values' in value)) return value;
  return value.Values.flatMap((each, at) => Array<number>(value.Counts?.[at] ?? 1).fill(each));
}
