import type { Script } from '../gladia/scripted-recogniser';
import { readWavAsMuLaw } from '../audio/wav';
import { loadSampleCall } from '../sample-call/sample-call';
import type { StartOptions } from './start-options';

/** What the simulated caller plays, mu-law, and what a scripted recogniser says to it. */
export interface StartAudio {
  readonly inbound: Buffer;
  readonly outbound?: Buffer;
  /** For people. */
  readonly title: string;
  readonly script?: Script;
}

/** @throws Error that names the file, what is wrong with it, and what would be right */
export function startAudio({ customerWav, agentWav }: StartOptions): StartAudio {
  if (customerWav === undefined) {
    const { inbound, outbound, turns } = loadSampleCall();
    const channel = (track: string) => turns.filter((turn) => turn.track === track);
    return {
      inbound,
      outbound,
      title: 'the sample call',
      script: { channels: [channel('inbound'), channel('outbound')] },
    };
  }
  const inbound = readWavAsMuLaw(customerWav);
  if (agentWav === undefined) return { inbound, title: customerWav };
  return { inbound, outbound: readWavAsMuLaw(agentWav), title: `${customerWav} and ${agentWav}` };
}
