import { pino, type DestinationStream, type LevelWithSilent, type LogFn, type Logger } from 'pino';
import { errorFields } from './error-fields';
import { LineBound } from './line-bound';

export type { Logger };

/** Pino's number for the level. */
const INFO = 30;

/**
 * JSON lines, one event a line: the message is a constant, everything that varies is a field.
 * Never pass transcript text, audio, a phone number, a token or a URL with a token.
 *
 * Lines with the same message are bounded in each minute, those for debugging aside.
 *
 * @param destination file descriptor, 1 in a container (CloudWatch reads it), 2 where people read stdout; or what takes the lines
 */
export function createLogger(level: LevelWithSilent, destination: 1 | 2 | DestinationStream): Logger {
  const bound = new LineBound({
    onHeldBack: (kind, lines) =>
      logger.warn({ kind, lines }, 'Lines of one kind were held back: there were too many in one minute'),
  });
  const logger = pino(
    {
      level,
      hooks: {
        logMethod(args: Parameters<LogFn>, log, lineLevel) {
          const message = args.find((each) => typeof each === 'string') ?? '';
          if (lineLevel < INFO || bound.take(message)) log.apply(this, args);
        },
      },
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: (error: unknown) => errorFields(error) },
    },
    typeof destination === 'number' ? pino.destination(destination) : destination,
  );
  return logger;
}
