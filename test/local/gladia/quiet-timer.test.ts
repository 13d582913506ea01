import { QuietTimer } from '../../../local/gladia/quiet-timer';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('it fires once, when it has not been touched for its time', () => {
  const fire = jest.fn();
  const timer = new QuietTimer(100, fire);
  timer.start();
  for (let i = 0; i < 5; i += 1) {
    jest.advanceTimersByTime(60);
    timer.touch();
  }
  jest.advanceTimersByTime(99);
  expect(fire).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1000);
  expect(fire).toHaveBeenCalledTimes(1);
});

test('it does not fire when it is stopped', () => {
  const fire = jest.fn();
  const timer = new QuietTimer(100, fire);
  timer.start();
  timer.stop();
  jest.advanceTimersByTime(1000);
  expect(fire).not.toHaveBeenCalled();
});
