import { SessionSlots } from '../../../runtime/speech/session-slots';

const never = new AbortController().signal;

test('gives slots up to the limit, then in the order of asking', async () => {
  const slots = new SessionSlots(1);
  const release = await slots.take(never);
  const order: string[] = [];
  const second = slots.take(never).then((done) => (order.push('second'), done));
  const third = slots.take(never).then((done) => (order.push('third'), done));
  release();
  (await second)();
  (await third)();
  expect(order).toEqual(['second', 'third']);
  expect(slots.taken).toBe(0);
});

test('serves those first who go on with a call, in their order', async () => {
  const slots = new SessionSlots(1);
  let release = await slots.take(never);
  const order: string[] = [];
  const ask = (name: string, first: boolean): void =>
    void slots.take(never, { first }).then((done) => {
      order.push(name);
      release = done;
    });
  ask('new one', false);
  ask('hand-over', true);
  ask('another new one', false);
  ask('re-attached', true);
  for (let i = 0; i < 4; i += 1) {
    release();
    await new Promise(setImmediate);
  }
  expect(order).toEqual(['hand-over', 're-attached', 'new one', 'another new one']);
});

test('takes a slot back once, however often it is given back', async () => {
  const slots = new SessionSlots(2);
  const release = await slots.take(never);
  await slots.take(never);
  release();
  release();
  expect(slots.taken).toBe(1);
});

test('lets who no longer wants one go, and nobody else', async () => {
  const slots = new SessionSlots(1);
  const release = await slots.take(never);
  const gone = new AbortController();
  const refused = slots.take(gone.signal);
  const waiting = slots.take(never);
  gone.abort(new Error('hung up'));
  await expect(refused).rejects.toThrow('hung up');
  release();
  await waiting;
  expect(slots.taken).toBe(1);
});

test('refuses at once who has gone already', async () => {
  await expect(new SessionSlots(1).take(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});

test('lets nobody in between a slot given back and the one it was promised to', async () => {
  const slots = new SessionSlots(1);
  const release = await slots.take(never);
  const waiting = slots.take(never);
  release();
  const late = slots.take(never);
  (await waiting)();
  await late;
  expect(slots.taken).toBe(1);
});
