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
        values: [line[Name] as number | readonly number[]].flat(),
      })),
    ),
  );
}
