import { createLogger } from '../../../runtime/observability/logger';

test('a flood of lines with one message, whatever else is in them, is bounded; others and those for debugging are not', () => {
  const counts: Record<string, number> = {};
  const logger = createLogger('debug', {
    write(line) {
      const { msg } = JSON.parse(line) as { msg: string };
      counts[msg] = (counts[msg] ?? 0) + 1;
    },
  });
  for (let line = 0; line < 4_000; line += 1) {
    logger.child({ callSid: `CA${line}` }).warn({ line }, 'Media socket failed');
    logger.debug('For debugging');
  }
  logger.warn('Another one');
  expect(counts).toEqual({ 'Media socket failed': 3_000, 'For debugging': 4_000, 'Another one': 1 });
});
