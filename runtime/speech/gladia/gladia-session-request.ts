import { SAMPLE_RATE_HZ } from '../../model/audio';
import type { SessionRequest } from '../speech-provider';
import { GLADIA_LANGUAGES, type GladiaSessionOptions } from './gladia-session-options';

/**
 * The body of `POST /v2/live` for one media stream (gladia-live.md, 1.2 to 1.4): Twilio's audio as it is, call-centre
 * endpointing, every message on; then the user's options; then what this call's `<Parameter>`s ask for.
 */
export function gladiaSessionRequest(
  request: SessionRequest,
  options: GladiaSessionOptions,
): Record<string, unknown> {
  return {
    endpointing: 0.3,
    maximum_duration_without_endpointing: 15,
    ...options,
    encoding: 'wav/ulaw',
    bit_depth: 8,
    sample_rate: SAMPLE_RATE_HZ,
    channels: request.channels,
    ...languageConfig(request),
    ...vocabularyConfig(request, options),
    messages_config: {
      receive_partial_transcripts: true,
      receive_final_transcripts: true,
      receive_speech_events: true,
      receive_pre_processing_events: true,
      receive_realtime_processing_events: true,
      receive_post_processing_events: true,
      receive_acknowledgments: true,
      receive_errors: true,
      receive_lifecycle_events: true,
    },
    custom_metadata: { ...options.custom_metadata, callSid: request.callSid, streamSid: request.streamSid },
  };
}

/** Codes that Gladia does not know would refuse the whole call: they are left out. */
function languageConfig({ languages = [] }: SessionRequest): object {
  const known = languages.filter((code) => GLADIA_LANGUAGES.includes(code));
  return known.length === 0
    ? {}
    : { language_config: { languages: known, code_switching: known.length > 1 } };
}

function vocabularyConfig({ vocabulary = [] }: SessionRequest, options: GladiaSessionOptions): object {
  if (vocabulary.length === 0) return {};
  const config = options.realtime_processing?.custom_vocabulary_config;
  return {
    realtime_processing: {
      ...options.realtime_processing,
      custom_vocabulary: true,
      custom_vocabulary_config: {
        ...config,
        vocabulary: [...(config?.vocabulary ?? []), ...vocabulary].slice(0, 100),
      },
    },
  };
}
