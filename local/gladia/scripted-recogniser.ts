import { EnergyTrack } from './energy-track';
import type { RecognisedSession, Recogniser, RecogniserTrack, TrackOptions } from './recogniser';
import type { Script, ScriptedUtterance } from './script';
import { ScriptedTrack } from './scripted-track';

export type { Script, ScriptedUtterance };

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
