import { everyPair } from '../support/deploy-choices';
import { makeStacks } from '../support/stacks';

// All 288 combinations are in test/slow.
test.each(everyPair().map((context) => [JSON.stringify(context), context] as const))(
  'settings make both stacks together: %s',
  (_name, context) => {
    const { stacks } = makeStacks(context).app.synth();
    expect(stacks.map(({ stackName }) => stackName)).toEqual(['CallscriptStore', 'CallscriptRelay']);
  },
);

test('every two settings meet', () => {
  const met = (one: object, other: object): boolean =>
    everyPair().some((context) => {
      const has = (wanted: object): boolean =>
        Object.entries(wanted).every(([key, value]) => context[key] === value);
      return has(one) && has(other);
    });
  expect(met({ egress: 'public' }, { customerManagedKey: 'true' })).toBe(true);
  expect(met({ domainName: 'calls.example.com' }, { egress: 'nat-per-zone' })).toBe(true);
  expect(met({ cpuArchitecture: 'x86_64' }, { flowLogs: 'true' })).toBe(true);
  expect(everyPair().length).toBeLessThan(15);
});
