import { pace } from '../../../local/twilio/pacing';

afterEach(() => {
  jest.useRealTimers();
});

describe('pacing', () => {
  it('counts by elapsed time, so that late ticks lose nothing', () => {
    jest.useFakeTimers();
    let elapsed = 0;
    const stop = pace(1, (elapsedMs) => (elapsed = elapsedMs));
    jest.advanceTimersByTime(100);
    expect(elapsed).toBe(100);
    stop();
  });

  it('runs faster by its factor', () => {
    jest.useFakeTimers();
    let elapsed = 0;
    const stop = pace(10, (elapsedMs) => (elapsed = elapsedMs));
    jest.advanceTimersByTime(100);
    expect(elapsed).toBe(1000);
    stop();
  });

  it('needs one timer for many calls, and none when all have stopped', () => {
    jest.useFakeTimers();
    const before = jest.getTimerCount();
    const stops = Array.from({ length: 200 }, () => pace(1, () => undefined));
    expect(jest.getTimerCount()).toBe(before + 1);
    for (const stop of stops) {
      stop();
      stop();
    }
    expect(jest.getTimerCount()).toBe(before);
  });

  it('lets a call stop itself in its own tick', () => {
    jest.useFakeTimers();
    let ticks = 0;
    const stop = pace(1, () => {
      ticks += 1;
      stop();
    });
    jest.advanceTimersByTime(100);
    expect(ticks).toBe(1);
  });

  it.each([0, -1, Number.NaN])('refuses a factor of %d', (factor) => {
    expect(() => pace(factor, () => undefined)).toThrow(RangeError);
  });
});
