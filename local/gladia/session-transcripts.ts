import { splitChannels } from './channels';
import { applyCustomSpelling } from './custom-spelling';
import {
  toGladiaUtterance,
  toSeconds,
  utteranceId,
  type GladiaUtterance,
  type TranscriptData,
} from './live-messages';
import { findNamedEntities } from './named-entities';
import type {
  RecognisedSession,
  RecognisedUtterance,
  Recogniser,
  RecogniserTrack,
  TrackListener,
} from './recogniser';
import { judgeSentiment } from './sentiment';
import type { SessionOutbox } from './session-outbox';
import type { SessionRequest } from './session-request';

export interface SessionTranscriptsOptions {
  readonly recogniser: Recogniser;
  readonly session: RecognisedSession;
  readonly request: SessionRequest;
  readonly outbox: SessionOutbox;
  /** While true, what is recognised is thrown away. */
  readonly isMute: () => boolean;
  readonly onChange: () => void;
  readonly onFailed: (error: Error) => void;
}

/** From a session's audio to its transcript and add-on messages. */
export class SessionTranscripts {
  readonly #options: SessionTranscriptsOptions;
  readonly #tracks: readonly RecogniserTrack[];
  readonly #finals: TranscriptData[] = [];
  /** By channel: where the first speech begins that has no final yet. */
  readonly #unsettledMs = new Map<number, number>();
  #bytes = 0;

  constructor(options: SessionTranscriptsOptions) {
    this.#options = options;
    const { request } = options;
    const [language, ...others] = request.language_config.languages;
    this.#tracks = Array.from({ length: request.channels }, (_, channel) =>
      options.recogniser.openTrack({
        session: options.session,
        channel,
        endpointingMs: request.endpointing * 1000,
        maximumUtteranceMs: request.maximum_duration_without_endpointing * 1000,
        language: others.length === 0 ? language : undefined,
        listener: this.#listenerOf(channel),
      }),
    );
  }

  get finals(): readonly TranscriptData[] {
    return this.#finals;
  }

  get utterances(): GladiaUtterance[] {
    return this.#finals.map((final) => final.utterance);
  }

  /** Start of the earliest speech without a final, in milliseconds; undefined when all is settled. */
  get unsettledFromMs(): number | undefined {
    return this.#unsettledMs.size === 0 ? undefined : Math.min(...this.#unsettledMs.values());
  }

  /** Takes the session's next audio, all channels interleaved. */
  push(audio: Buffer): void {
    const channels = splitChannels(audio, this.#tracks.length, this.#bytes);
    this.#bytes += audio.length;
    channels.forEach((own, channel) => this.#tracks[channel]?.push(own));
  }

  /** Resolves when every final has been given. */
  async finish(): Promise<void> {
    await Promise.all(this.#tracks.map((track) => track.finish()));
  }

  /** Idempotent. */
  close(): void {
    for (const track of this.#tracks) track.close();
  }

  #listenerOf(channel: number): TrackListener {
    return {
      speechStart: (atMs) => {
        if (!this.#unsettledMs.has(channel)) this.#unsettledMs.set(channel, atMs);
        this.#speechEvent('speech_start', channel, atMs);
      },
      speechEnd: (atMs) => this.#speechEvent('speech_end', channel, atMs),
      partial: (utterance) => this.#partial(channel, utterance),
      final: (utterance) => this.#final(channel, utterance),
      failed: this.#options.onFailed,
    };
  }

  #speechEvent(type: 'speech_start' | 'speech_end', channel: number, atMs: number): void {
    if (this.#options.isMute()) return;
    this.#options.outbox.emit('receive_speech_events', { type, data: { time: toSeconds(atMs), channel } });
    this.#options.onChange();
  }

  #partial(channel: number, heard: RecognisedUtterance): void {
    if (this.#options.isMute()) return;
    const { id, utterance } = this.#spell(channel, heard);
    this.#options.outbox.emitPartial({ type: 'transcript', data: { id, is_final: false, utterance } });
    this.#options.onChange();
  }

  #final(channel: number, heard: RecognisedUtterance): void {
    this.#unsettledMs.delete(channel);
    if (this.#options.isMute()) return;
    const { id, utterance, spelled } = this.#spell(channel, heard);
    const data: TranscriptData = { id, is_final: true, utterance };
    this.#finals.push(data);
    this.#options.outbox.emit('receive_final_transcripts', { type: 'transcript', data });
    this.#translate(data, spelled);
    this.#nameEntities(data, spelled);
    this.#judge(data, spelled);
    this.#options.onChange();
  }

  #spell(
    channel: number,
    heard: RecognisedUtterance,
  ): { id: string; utterance: GladiaUtterance; spelled: RecognisedUtterance } {
    const { custom_spelling: on, custom_spelling_config: config } = this.#options.request.realtime_processing;
    const spelled =
      on && config !== undefined ? applyCustomSpelling(heard, config.spelling_dictionary) : heard;
    return {
      id: utteranceId(channel, heard.number),
      utterance: toGladiaUtterance(spelled, channel),
      spelled,
    };
  }

  #translate({ id, utterance }: TranscriptData, heard: RecognisedUtterance): void {
    const { translation, translation_config: config } = this.#options.request.realtime_processing;
    if (!translation || config === undefined) return;
    for (const target of config.target_languages) {
      const text = heard.addOns?.translations?.[target];
      if (text === undefined)
        this.#addOnFailed('translation', `the script has no ${target} translation of utterance ${id}`);
      else {
        const translated = { ...utterance, text: ` ${text}`, language: target, words: [] };
        const languages = { original_language: heard.language, target_language: target };
        this.#addOn('translation', {
          utterance_id: id,
          utterance,
          ...languages,
          translated_utterance: translated,
        });
      }
    }
  }

  #nameEntities({ id, utterance }: TranscriptData, heard: RecognisedUtterance): void {
    if (!this.#options.request.realtime_processing.named_entity_recognition) return;
    this.#addOn('named_entity_recognition', {
      utterance_id: id,
      utterance,
      results: findNamedEntities(heard),
    });
  }

  #judge({ id, utterance }: TranscriptData, heard: RecognisedUtterance): void {
    if (!this.#options.request.realtime_processing.sentiment_analysis) return;
    const { start, end, channel } = utterance;
    const result = { ...judgeSentiment(heard), text: utterance.text.trim(), start, end, channel };
    this.#addOn('sentiment_analysis', { utterance_id: id, utterance, results: [result] });
  }

  #addOn(type: string, data: object): void {
    this.#options.outbox.emit('receive_realtime_processing_events', { type, error: null, data });
  }

  #addOnFailed(type: string, message: string): void {
    this.#options.outbox.emit('receive_realtime_processing_events', { type, error: { message }, data: null });
  }
}
