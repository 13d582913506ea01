import { EventQueue } from '../../../local/twilio/event-queue';

type Event = { type: 'a'; n: number } | { type: 'b' };

describe('the event queue', () => {
  it('gives each event once, whether asked for before or after it came', async () => {
    const queue = new EventQueue<Event>();
    const early = queue.next('a');
    queue.emit({ type: 'a', n: 1 });
    queue.emit({ type: 'b' });
    queue.emit({ type: 'a', n: 2 });
    expect((await early).n).toBe(1);
    expect((await queue.next('a')).n).toBe(2);
  });

  it('gives the first event of a type to whoever waits for it, taken or not', async () => {
    const queue = new EventQueue<Event>();
    queue.emit({ type: 'a', n: 1 });
    await queue.next('a');
    expect((await queue.waitFor('a')).n).toBe(1);
  });

  it('tells who still waits at the end what there was instead', async () => {
    const queue = new EventQueue<Event>();
    queue.emit({ type: 'b' });
    const waiting = queue.next('a');
    queue.end();
    await expect(waiting).rejects.toThrow('it ended without the event a; there was: b');
    await expect(queue.next('a')).rejects.toThrow('without the event a');
    await expect(queue.next('b')).resolves.toEqual({ type: 'b' });
  });
});
