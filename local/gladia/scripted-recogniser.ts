import type {
  RecognisedSession,
  Recogniser,
  RecogniserTrack,
  ScriptedAddOns,
  TrackOptions,
} from './recogniser';
import { ScriptedTrack } from './scripted-track';
import { EnergyTrack } from './energy-track';

/** What is said on a channel between two times of its audio, in milliseconds. */
export interface ScriptedUtterance extends ScriptedAddOns {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** Default: the session's language, else `en`. */
  readonly language?: string;
  /** Default 1. */
  readonly confidence?: number;
}

export interface Script {
  /** By channel, each in order of time. A channel left out makes its text from its audio. */
  readonly channels: readonly (readonly ScriptedUtterance[] | undefined)[];
  readonly summary?: string;
}

/** Chooses the script of a session; undefined makes text from the audio. */
export type ChooseScript = (session: RecognisedSession) => Script | undefined;

/**
 * A recogniser that "hears" what a script says, as the audio reaches the script's times. For tests and hosts
 * without a model. Deterministic: it has no timers and is driven by the audio alone.
 */
export function createScriptedRecogniser(chooseScript: ChooseScript = () => undefined): Recogniser {
  return {
    name: 'scripted (no speech recognition: text from a script, or made up from the loudness of the audio)',
    languages: 'any',
    scriptsAddOns: true,
    openTrack: (options) => openTrack(options, chooseScript(options.session)),
    summaryOf: (session) => chooseScript(session)?.summary,
    close: () => Promise.resolve(),
  };
}

function openTrack(options: TrackOptions, script: Script | undefined): RecogniserTrack {
  const utterances = script?.channels[options.channel];
  return utterances === undefined ? new EnergyTrack(options) : new ScriptedTrack(options, utterances);
}
