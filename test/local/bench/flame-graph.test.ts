import { flameGraph, type CpuProfile } from '../../../local/bench/flame-graph';

const node = (id: number, functionName: string, children: number[] = [], url = 'file:///main.js') => ({
  id,
  callFrame: { functionName, url },
  children,
});
const PROFILE: CpuProfile = {
  nodes: [
    node(1, '(root)', [2, 5], ''),
    node(2, 'read', [3, 4], 'node:net'),
    node(3, '#onMedia'),
    node(4, 'a<b'),
    node(5, '(idle)', [], ''),
  ],
  samples: [3, 3, 4, 5, 5, 3],
  timeDeltas: [1_000, 2_000, 1_000, 50_000, 50_000, 9_000_000],
};
const draw = (window: readonly [number, number]): string => flameGraph(PROFILE, { title: 'T & T', window });

test('draws each function as wide as its share of the work, idle time left out', () => {
  const svg = draw([0, 1]);
  expect(svg).toContain('read: 4 ms');
  expect(svg).toMatch(/#onMedia: 3 ms<\/title><rect x="0.0" y="45" width="899.7"/);
  expect(svg).toContain('a&lt;b: 1 ms');
  expect(svg).toContain('T &amp; T');
  expect(svg).not.toContain('idle');
});

test('draws nothing but what happened in the window', () => {
  expect(draw([1, 10])).toContain('#onMedia: 9000 ms');
  expect(draw([1, 10])).not.toContain('a&lt;b');
});
