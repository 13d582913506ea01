import { z } from 'zod';

/**
 * CloudWatch's embedded metric format: the schema and the rules for target members of "Specification: Embedded metric
 * format" (Amazon CloudWatch User Guide, as it was in 2026), and from the API reference what a dimension's value may be.
 */
const PER_SECOND = ['Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes'].concat(
  ['Bits', 'Kilobits', 'Megabits', 'Gigabits', 'Terabits'],
  'Count',
);
const UNITS = ['Seconds', 'Microseconds', 'Milliseconds', 'Percent', 'None'].concat(
  PER_SECOND,
  PER_SECOND.map((unit) => `${unit}/Second`),
);
const name = z.string().min(1).max(1_024);

const directive = z.strictObject({
  Namespace: name,
  Dimensions: z.array(z.array(z.string().min(1).max(250)).max(30)).min(1),
  Metrics: z
    .array(
      z.strictObject({
        Name: name,
        Unit: z.enum(UNITS).optional(),
        StorageResolution: z.literal([1, 60]).optional(),
      }),
    )
    .max(100),
});
const line = z.looseObject({
  _aws: z.strictObject({ Timestamp: z.int().min(0), CloudWatchMetrics: z.array(directive) }),
});
const metricTarget = z.union([z.number(), z.array(z.number()).max(100)]);
const dimensionTarget = z
  .string()
  .regex(/^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/)
  .max(1_024);

/** With its time stamp and all else that comes with it, an event of CloudWatch Logs may be no longer. */
const MOST_BYTES = 256 * 1_024;

/** @returns why CloudWatch would make no metrics of a line, or not all; nothing when it is as the format has it */
export function embeddedFormatFaults(text: string): readonly string[] {
  if (Buffer.byteLength(text) > MOST_BYTES) return [`longer than ${MOST_BYTES} bytes`];
  const parsed = line.safeParse(JSON.parse(text));
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const { _aws, ...root } = parsed.data;
  const check = (schema: z.ZodType, target: string): string[] =>
    schema.safeParse(root[target]).success ? [] : [`${target}: ${JSON.stringify(root[target])}`];
  return _aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) => [
    ...Metrics.flatMap(({ Name }) => check(metricTarget, Name)),
    ...Dimensions.flat().flatMap((dimension) => check(dimensionTarget, dimension)),
  ]);
}
