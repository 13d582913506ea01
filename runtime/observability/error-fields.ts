import { isNativeError } from 'node:util/types';

/** Errors that we word ourselves, and without anything that came from outside. */
const OWN = ['CallStoreError', 'ConfigError', 'SpeechError', 'TwilioRestError', 'UnprocessedItems'];
/** Those of the language name a place in our code; with a code they are of Node's, which quotes arguments. */
const OF_THE_LANGUAGE = ['TypeError', 'RangeError', 'ReferenceError'];
/** Causes of causes: more than anybody has seen. */
const MOST_CAUSES = 5;

export interface ErrorFields {
  readonly type: string;
  /** Only of errors that quote nothing. */
  readonly message?: string;
  /** Such as ECONNRESET. */
  readonly code?: string;
  /** Where it was thrown; without the message that a stack begins with. */
  readonly stack: string;
  readonly cause?: ErrorFields;
}

/**
 * What of an error may be in the log. The messages of libraries, of the store and of `JSON.parse` quote what they were
 * given, which may be what somebody said, a number or a token: of such errors type, code and place are told.
 */
export function errorFields(error: unknown, mostCauses = MOST_CAUSES): ErrorFields {
  if (!isNativeError(error)) return { type: typeof error, stack: '' };
  const { name, message, cause } = error;
  const { code } = error as { readonly code?: unknown };
  const hasCode = typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(code);
  const quotesNothing = OWN.includes(name) || (OF_THE_LANGUAGE.includes(name) && !hasCode);
  return {
    type: /^[A-Za-z]{1,64}$/.test(name) ? name : 'Error',
    ...(quotesNothing ? { message } : {}),
    ...(hasCode ? { code } : {}),
    stack: framesOf(error),
    ...(cause === undefined || mostCauses === 0 ? {} : { cause: errorFields(cause, mostCauses - 1) }),
  };
}

/** V8 puts name and message before the frames; a message may look like a frame. */
function framesOf({ stack = '', message }: Error): string {
  const begin = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  const lines = stack.slice(begin).split('\n');
  return lines
    .filter((line) => line.startsWith('    at '))
    .map((line) => line.trim())
    .join('\n');
}
