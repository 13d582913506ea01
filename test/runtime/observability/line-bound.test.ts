import { LineBound } from '../../../runtime/observability/line-bound';

test('of one kind so many pass in an interval, and those held back are told at its end', async () => {
  const told = new Promise<readonly [string, number]>((resolve) => {
    const bound = new LineBound({
      mostLines: 2,
      intervalMs: 20,
      onHeldBack: (kind, lines) => resolve([kind, lines]),
    });
    const taken = ['one', 'one', 'one', 'two', 'one'].map((kind) => bound.take(kind));
    expect(taken).toEqual([true, true, false, true, false]);
  });
  expect(await told).toEqual(['one', 2]);
});

test('after the interval the kind passes again, and nobody is told of one that never had too many', async () => {
  const told: string[] = [];
  const isOver = new Promise<void>((resolve) => {
    const bound = new LineBound({
      mostLines: 1,
      intervalMs: 20,
      onHeldBack(kind) {
        told.push(kind);
        expect(bound.take(kind)).toBe(true);
        resolve();
      },
    });
    bound.take('quiet');
    bound.take('loud');
    bound.take('loud');
  });
  await isOver;
  expect(told).toEqual(['loud']);
});

test('more kinds than there are messages share one bound', () => {
  const bound = new LineBound({ mostLines: 1, onHeldBack: () => undefined });
  const taken = Array.from({ length: 1_010 }, (_, index) => bound.take(`kind ${index}`));
  expect(taken.filter((isTaken) => isTaken)).toHaveLength(1_001);
});
