import type { CallParties } from '../model/transcript-event';
import { callDirection } from './speaker';

/** What a leg's `<Parameter>`s say of the call. */
export interface LegParameters {
  readonly parties: CallParties;
  readonly languages: readonly string[];
  readonly vocabulary: readonly string[];
}

/**
 * Reads the `<Parameter>`s that `/voice` or a TwiML Bin sets: `from`, `to`, `direction`; `language` and `vocabulary` as
 * lists separated by commas. Others are the user's own.
 */
export function readLegParameters(parameters: Readonly<Record<string, string>>): LegParameters {
  const { from, to, direction } = parameters;
  return {
    parties: {
      ...(from === undefined || from === '' ? {} : { from }),
      ...(to === undefined || to === '' ? {} : { to }),
      direction: callDirection(direction),
    },
    languages: list(parameters['language']),
    vocabulary: list(parameters['vocabulary']),
  };
}

/** What is known stays; what is unknown is taken from `later`. */
export function mergeParties(known: CallParties, later: CallParties): CallParties {
  return { ...later, ...known, direction: known.direction === 'unknown' ? later.direction : known.direction };
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
