import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_SUMS, METRICS, type MetricPart } from '../../../runtime/contract/metrics';

const runtime = join(__dirname, '../../../runtime');
const program = readdirSync(runtime, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('contract/') && !file.startsWith('dist/'))
  .map((file) => readFileSync(join(runtime, file), 'utf8'))
  .join('\n');
const parts = Object.values(METRIC_SUMS).flatMap(({ of }) => of);
const valuesOf = ({ only = [], except = [] }: MetricPart): readonly string[] => [...only, ...except];

it.each(Object.keys(METRICS))('%s is counted somewhere', (name) => {
  expect(
    new RegExp(`(count|counter|gauge|observe|distribution|noteFirstWords)\\('${name}'`).test(program),
  ).toBe(true);
});

it('adds up counts only', () => {
  expect(new Set(parts.map(({ metric }) => METRICS[metric].unit))).toEqual(new Set(['count']));
});

it.each([...new Set(parts.flatMap(valuesOf))])(
  'the label value %s of a sum is one that the relay counts',
  (value) => {
    const literal = value.startsWith('http-') ? '`http-${' : `'${value}'`;
    expect([value, program.includes(literal)]).toEqual([value, true]);
  },
);

it('names no sum like a metric', () => {
  expect(Object.keys(METRIC_SUMS).filter((name) => name in METRICS)).toEqual([]);
});
