import { AudioBacklog, BacklogBudget, SLAB_BYTES } from '../../../runtime/speech/audio-backlog';

const MINUTE_BYTES = 60 * 8_000;

function backlogOf(options: { maxBytes?: number; budget?: BacklogBudget } = {}) {
  const dropped: [number, number][] = [];
  const budget = options.budget ?? new BacklogBudget(100 * MINUTE_BYTES);
  const backlog = new AudioBacklog({
    budget,
    maxBytes: options.maxBytes ?? 10 * MINUTE_BYTES,
    onDropped: (from, to) => dropped.push([from, to]),
  });
  return { backlog, budget, dropped };
}

/** Bytes that tell their own position. */
function audio(fromByte: number, bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => (fromByte + i) % 251));
}

function readAll(backlog: AudioBacklog, fromByte: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = fromByte; at < backlog.endByte;) {
    const piece = backlog.read(at, 7_000);
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

test('gives back what was appended, from any position, over slabs', () => {
  const { backlog } = backlogOf();
  for (let at = 0; at < 50_000; at += 237) backlog.append(audio(at, 237));
  expect(readAll(backlog, 0)).toEqual(audio(0, backlog.endByte));
  expect(readAll(backlog, 15_999)).toEqual(audio(15_999, backlog.endByte - 15_999));
});

test('reads nothing at its end and nothing that was released', () => {
  const { backlog } = backlogOf();
  backlog.append(audio(0, 40_000));
  backlog.release(SLAB_BYTES);
  expect(backlog.read(40_000, 100)).toHaveLength(0);
  expect(backlog.startByte).toBe(SLAB_BYTES);
  expect(backlog.read(0, 100)).toHaveLength(0);
  expect(readAll(backlog, SLAB_BYTES)).toEqual(audio(SLAB_BYTES, 40_000 - SLAB_BYTES));
});

test('keeps its positions when everything was released in between', () => {
  const { backlog } = backlogOf();
  backlog.append(audio(0, 2 * SLAB_BYTES));
  backlog.release(2 * SLAB_BYTES);
  expect(backlog.heldBytes).toBe(0);
  backlog.append(audio(2 * SLAB_BYTES, 100));
  expect(readAll(backlog, 2 * SLAB_BYTES)).toEqual(audio(2 * SLAB_BYTES, 100));
});

test('drops its oldest audio at its bound, says which, and never grows over it', () => {
  const { backlog, dropped } = backlogOf({ maxBytes: 3 * SLAB_BYTES });
  for (let at = 0; at < 6 * SLAB_BYTES; at += 320) {
    backlog.append(audio(at, 320));
    expect(backlog.heldBytes).toBeLessThanOrEqual(3 * SLAB_BYTES);
  }
  expect(dropped).toEqual([
    [0, SLAB_BYTES],
    [SLAB_BYTES, 2 * SLAB_BYTES],
    [2 * SLAB_BYTES, 3 * SLAB_BYTES],
  ]);
  expect(readAll(backlog, backlog.startByte)).toEqual(audio(backlog.startByte, 3 * SLAB_BYTES));
});

test('makes the call that holds most give way when the process is full', () => {
  const budget = new BacklogBudget(6 * SLAB_BYTES);
  const large = backlogOf({ budget });
  const small = backlogOf({ budget });
  large.backlog.append(audio(0, 5 * SLAB_BYTES));
  small.backlog.append(audio(0, 2 * SLAB_BYTES));
  expect(budget.heldBytes).toBe(6 * SLAB_BYTES);
  expect(large.dropped).toEqual([[0, SLAB_BYTES]]);
  expect(small.dropped).toEqual([]);
});

test('never drops the slab that is being filled, however small the budget', () => {
  const budget = new BacklogBudget(1);
  const { backlog, dropped } = backlogOf({ budget });
  backlog.append(audio(0, 500));
  backlogOf({ budget }).backlog.append(audio(0, 500));
  expect(dropped).toEqual([]);
  expect(readAll(backlog, 0)).toEqual(audio(0, 500));
});

test('gives all its memory back when closed, once', () => {
  const { backlog, budget } = backlogOf();
  backlog.append(audio(0, 3 * SLAB_BYTES));
  backlog.close();
  backlog.close();
  expect(budget.heldBytes).toBe(0);
  expect(backlog.read(2 * SLAB_BYTES, 100)).toHaveLength(0);
});

test('keeps the audio of two calls apart that use the same slabs one after the other', () => {
  const budget = new BacklogBudget(100 * MINUTE_BYTES);
  const first = backlogOf({ budget }).backlog;
  first.append(audio(0, 3 * SLAB_BYTES));
  const released = first.read(0, SLAB_BYTES);
  first.release(2 * SLAB_BYTES);
  const [second, third] = [backlogOf({ budget }).backlog, backlogOf({ budget }).backlog];
  second.append(audio(7, 2 * SLAB_BYTES));
  third.append(audio(11, 2 * SLAB_BYTES));
  expect(released).toEqual(audio(7 + SLAB_BYTES, SLAB_BYTES));
  first.append(audio(3 * SLAB_BYTES, SLAB_BYTES));
  expect(readAll(second, 0)).toEqual(audio(7, 2 * SLAB_BYTES));
  expect(readAll(third, 0)).toEqual(audio(11, 2 * SLAB_BYTES));
  expect(readAll(first, 2 * SLAB_BYTES)).toEqual(audio(2 * SLAB_BYTES, 2 * SLAB_BYTES));
  for (const each of [first, second, third]) each.close();
  expect(budget.heldBytes).toBe(0);
});
