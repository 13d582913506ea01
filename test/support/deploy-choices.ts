import { WAYS, type DeployContext } from './stacks';

/** The values of each setting that make another template; the others are taken together. */
const CHOICES: readonly (readonly DeployContext[])[] = [
  [WAYS.default, WAYS.domain, WAYS.certificate],
  [{ egress: 'nat' }, { egress: 'nat-per-zone' }, { egress: 'public' }],
  [{}, { flowLogs: 'true' }],
  [{}, { customerManagedKey: 'true' }],
  [{}, { cpuArchitecture: 'x86_64' }],
  [{}, { alarmEmail: 'on-call@example.com' }],
  [
    {},
    {
      baseImage: 'example.com/node@sha256:0123',
      traceCollector: 'example.com/collector:v1',
      tasks: '3-9',
      callsPerTask: '10',
      relay: '{"VOICE_TWIML":"<Say>Hi</Say>"}',
    },
  ],
];

/** Which value of each setting, by its place. */
type Combination = readonly number[];

const EVERY: readonly Combination[] = CHOICES.reduce<readonly Combination[]>(
  (before, options) => before.flatMap((one) => options.map((_option, place) => [...one, place])),
  [[]],
);

/** Every value of every setting with every value of every other one. */
export function everyCombination(): readonly DeployContext[] {
  return EVERY.map(contextOf);
}

/** The fewest of them, or nearly, that hold every two values together: most mistakes are made by two settings. */
export function everyPair(): readonly DeployContext[] {
  const left = new Set(EVERY.flatMap(pairsOf));
  const chosen: Combination[] = [];
  while (left.size > 0) {
    const news = EVERY.map((one) => pairsOf(one).filter((pair) => left.has(pair)).length);
    const best = EVERY[news.indexOf(Math.max(...news))]!;
    for (const pair of pairsOf(best)) left.delete(pair);
    chosen.push(best);
  }
  return chosen.map(contextOf);
}

function contextOf(combination: Combination): DeployContext {
  return Object.assign(
    {},
    ...combination.map((place, setting) => CHOICES[setting]?.[place]),
  ) as DeployContext;
}

function pairsOf(combination: Combination): readonly string[] {
  const values = combination.map((place, setting) => `${setting}:${place}`);
  return values.flatMap((one, index) => values.slice(index + 1).map((other) => `${one} ${other}`));
}
