import { SessionSlots, type SessionSlot } from '../../../runtime/speech/session-slots';

const never = new AbortController().signal;

test('gives slots up to the limit, then in the order of asking', async () => {
  const slots = new SessionSlots(1);
  const slot = await slots.take(never);
  const order: string[] = [];
  const second = slots.take(never).then((next) => (order.push('second'), next));
  const third = slots.take(never).then((next) => (order.push('third'), next));
  expect(slots.waiting).toBe(2);
  slot.release();
  (await second).release();
  (await third).release();
  expect(order).toEqual(['second', 'third']);
  expect(slots.taken).toBe(0);
});

test('serves those first who go on with a call, in their order', async () => {
  const slots = new SessionSlots(1);
  let slot = await slots.take(never);
  const order: string[] = [];
  const ask = (name: string, first: boolean): void =>
    void slots.take(never, { first }).then((next) => {
      order.push(name);
      slot = next;
    });
  ask('new one', false);
  ask('hand-over', true);
  ask('another new one', false);
  ask('re-attached', true);
  for (let i = 0; i < 4; i += 1) {
    slot.release();
    await new Promise(setImmediate);
  }
  expect(order).toEqual(['hand-over', 're-attached', 'new one', 'another new one']);
});

test('takes a slot back once, however often it is given back', async () => {
  const slots = new SessionSlots(2);
  const slot = await slots.take(never);
  await slots.take(never);
  slot.release();
  slot.release();
  expect(slots.taken).toBe(1);
});

test('lets who no longer wants one go, and nobody else', async () => {
  const slots = new SessionSlots(1);
  const slot = await slots.take(never);
  const gone = new AbortController();
  const refused = slots.take(gone.signal);
  const waiting = slots.take(never);
  gone.abort(new Error('hung up'));
  await expect(refused).rejects.toThrow('hung up');
  slot.release();
  await waiting;
  expect(slots.taken).toBe(1);
});

test('refuses at once who has gone already', async () => {
  await expect(new SessionSlots(1).take(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});

test('lets nobody in between a slot given back and the one it was promised to', async () => {
  const slots = new SessionSlots(1);
  const slot = await slots.take(never);
  const waiting = slots.take(never);
  slot.release();
  const late = slots.take(never);
  (await waiting).release();
  await late;
  expect(slots.taken).toBe(1);
});

describe('where the service refuses more sessions', () => {
  /** Refuses a slot, and lets the time until the next attempt pass only when told to. */
  function limited() {
    jest.useFakeTimers();
    const slots = new SessionSlots(Infinity);
    const order: string[] = [];
    const held = new Map<string, SessionSlot>();
    const ask = async (name: string, place: { first?: boolean; ticket?: number } = {}): Promise<void> => {
      const slot = await slots.take(never, place);
      order.push(name);
      held.set(name, slot);
    };
    const refuse = (name: string): void => {
      const slot = held.get(name)!;
      slot.refused(() => 1_000);
      void ask(name, { ticket: slot.ticket });
    };
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    };
    return { slots, order, held, ask, refuse, settle };
  }

  afterEach(() => jest.useRealTimers());

  test('one asks for all, and nobody else gets a slot meanwhile', async () => {
    const { slots, order, ask, refuse, settle, held } = limited();
    await ask('a');
    refuse('a');
    void ask('b');
    void ask('c');
    await settle();
    expect(order).toEqual(['a']);
    jest.advanceTimersByTime(1_000);
    await settle();
    expect([order, slots.waiting]).toEqual([['a', 'a'], 2]);
    held.get('a')!.answered();
    await settle();
    expect(order).toEqual(['a', 'a', 'b']);
    held.get('b')!.answered();
    await settle();
    expect(order).toEqual(['a', 'a', 'b', 'c']);
  });

  test('who was refused keeps the place in the queue', async () => {
    const { order, ask, refuse, settle, held } = limited();
    await ask('a');
    await ask('b');
    refuse('b');
    void ask('c');
    refuse('a');
    jest.advanceTimersByTime(1_000);
    await settle();
    expect(order).toEqual(['a', 'b', 'a']);
    held.get('a')!.answered();
    await settle();
    expect(order.slice(3)).toEqual(['b']);
  });

  test('a session that ends makes room at once', async () => {
    const { order, ask, refuse, settle, held } = limited();
    await ask('a');
    held.get('a')!.answered();
    await ask('b');
    refuse('b');
    await settle();
    expect(order).toEqual(['a', 'b']);
    held.get('a')!.release();
    await settle();
    expect(order).toEqual(['a', 'b', 'b']);
  });

  test('refusals in a row are counted until somebody gets a session', async () => {
    const { ask, held, settle } = limited();
    await ask('a');
    const attempts: number[] = [];
    const waitMs = (attempt: number): number => (attempts.push(attempt), 10);
    held.get('a')!.refused(waitMs);
    void ask('b');
    jest.advanceTimersByTime(10);
    await settle();
    held.get('b')!.refused(waitMs);
    void ask('c');
    jest.advanceTimersByTime(10);
    await settle();
    held.get('c')!.answered();
    held.get('c')!.refused(waitMs);
    expect(attempts).toEqual([0, 1, 0]);
  });

  test('a queue that everybody has left holds nobody back', async () => {
    const { slots, ask, held, settle, order } = limited();
    await ask('a');
    held.get('a')!.refused(() => 60_000);
    const gone = new AbortController();
    const refused = slots.take(gone.signal);
    gone.abort(new Error('hung up'));
    await expect(refused).rejects.toThrow('hung up');
    void ask('b');
    await settle();
    expect(order).toEqual(['a', 'b']);
  });
});
