import { pino, type Logger, type LevelWithSilent } from 'pino';
import { errorFields } from './error-fields';

export type { Logger };

/**
 * JSON lines, one event a line: the message is a constant, everything that varies is a field.
 * Never pass transcript text, audio, a phone number, a token or a URL with a token.
 *
 * @param destination file descriptor: 1 in a container (CloudWatch reads it), 2 where people read stdout
 */
export function createLogger(level: LevelWithSilent, destination: 1 | 2): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: (error: unknown) => errorFields(error) },
    },
    pino.destination(destination),
  );
}
