import { forgetOldest } from '../../../runtime/model/forget-oldest';

test('a collection within its bound keeps all it has', () => {
  const entries = new Set(['first', 'second']);
  forgetOldest(entries, 2);
  expect([...entries]).toEqual(['first', 'second']);
});

test('beyond it, what was added first goes, in maps as in sets', () => {
  const names = new Set(['first', 'second', 'third']);
  forgetOldest(names, 2);
  expect([...names]).toEqual(['second', 'third']);

  const entries = new Map([
    ['first', 1],
    ['second', 2],
  ]);
  entries.set('first', 3);
  forgetOldest(entries, 1);
  expect([...entries]).toEqual([['second', 2]]);
});
