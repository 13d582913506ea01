/**
 * Loaded before the relay, with --expose-gc: on SIGUSR2 it collects garbage and says what memory is left, as one more
 * line of stdout.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  // What finalisers let go of goes with the next collection.
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    process.stdout.write(
      `${JSON.stringify({ msg: 'Memory', heapBytes: heapUsed + external, rssBytes: rss })}\n`,
    );
  });
});
