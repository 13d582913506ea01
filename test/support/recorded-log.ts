import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Logger } from '../../runtime/observability/logger';

export interface RecordedLog {
  readonly logger: Logger;
  readonly lines: readonly Record<string, unknown>[];
}

/** A logger whose lines a test can look at, and nobody else sees. */
export function recordLog(): RecordedLog {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { logger: pino({ level: 'debug', base: null }, stream), lines };
}
