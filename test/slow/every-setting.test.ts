import { everyCombination } from '../support/deploy-choices';
import { makeStacks } from '../support/stacks';

test('every combination of settings makes both stacks', () => {
  const combinations = everyCombination();
  expect(combinations).toHaveLength(288);
  for (const context of combinations) {
    const { stacks } = makeStacks(context).app.synth();
    expect(stacks.map(({ stackName }) => stackName)).toEqual(['CallscriptStore', 'CallscriptRelay']);
  }
});
