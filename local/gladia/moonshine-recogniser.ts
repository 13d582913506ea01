import { MoonshineDecoder } from './moonshine-decoder';
import { findMoonshineFolder } from './moonshine-files';
import { MoonshineTrack } from './moonshine-track';
import type { Recogniser } from './recogniser';

export interface MoonshineOptions {
  /** Told how much of the model is loaded, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Folder of the two model files; default: inside the installed package. */
  readonly modelFolder?: string;
}

/**
 * Loads the Moonshine tiny model (English) into a worker thread: real speech recognition on one core, some 3.9 %
 * word errors on clean 8 kHz speech (local-speech.md). Takes 2 to 6 s and 400 MB.
 * Rejects with a message that names what is missing.
 */
export async function loadMoonshine({
  onProgress = () => {},
  modelFolder,
}: MoonshineOptions = {}): Promise<Recogniser> {
  const decoder = await MoonshineDecoder.load(modelFolder ?? findMoonshineFolder(), onProgress);
  let tracks = 0;
  return {
    name: 'Moonshine tiny (real speech recognition, English only; word times are estimates)',
    languages: ['en'],
    scriptsAddOns: false,
    openTrack: (options) => new MoonshineTrack(options, decoder, tracks++),
    summaryOf: () => undefined,
    close: () => decoder.close(),
  };
}
