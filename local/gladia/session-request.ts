import { z } from 'zod';
import { LANGUAGE_CODES, TRANSLATION_LANGUAGE_CODES } from './language-codes';

/** Body of POST /v2/live, strict: an unknown key is refused (gladia-live.md, 1.2). */
const flag = z.boolean();
const language = z.enum(LANGUAGE_CODES);
const spellings = z.record(z.string(), z.array(z.string()));

const vocabularyEntry = z.union([
  z.string(),
  z.strictObject({
    value: z.string(),
    intensity: z.number().min(0).max(1).optional(),
    pronunciations: z.array(z.string()).optional(),
    language: language.optional(),
  }),
]);

const languageConfig = z.strictObject({
  languages: z.array(language).default([]),
  code_switching: flag.default(false),
});

const preProcessing = z.strictObject({
  audio_enhancer: flag.default(false),
  speech_threshold: z.number().min(0).max(1).default(0.6),
});

const translationConfig = z.strictObject({
  target_languages: z.array(z.enum(TRANSLATION_LANGUAGE_CODES)).min(1),
  model: z.enum(['base', 'enhanced', 'batch']).default('base'),
  match_original_utterances: flag.default(true),
  lipsync: flag.default(true),
  context_adaptation: flag.default(true),
  context: z.string().optional(),
  informal: flag.default(false),
});

const realtimeProcessing = z.strictObject({
  custom_vocabulary: flag.default(false),
  custom_vocabulary_config: z
    .strictObject({
      vocabulary: z.array(vocabularyEntry),
      default_intensity: z.number().min(0).max(1).optional(),
    })
    .optional(),
  custom_spelling: flag.default(false),
  custom_spelling_config: z.strictObject({ spelling_dictionary: spellings }).optional(),
  translation: flag.default(false),
  translation_config: translationConfig.optional(),
  named_entity_recognition: flag.default(false),
  sentiment_analysis: flag.default(false),
  // Absent from the contract, but an integration in the field still sends it and is accepted (gladia-live.md, 1.2).
  words_accurate_timestamps: flag.optional(),
});

const postProcessing = z.strictObject({
  summarization: flag.default(false),
  summarization_config: z
    .strictObject({ type: z.enum(['general', 'bullet_points', 'concise']).default('general') })
    .optional(),
  chapterization: flag.default(false),
});

/** The defaults of the WebSocket (gladia-live.md, 1.3). */
const messagesConfig = z.strictObject({
  receive_partial_transcripts: flag.default(false),
  receive_final_transcripts: flag.default(true),
  receive_speech_events: flag.default(true),
  receive_pre_processing_events: flag.default(true),
  receive_realtime_processing_events: flag.default(true),
  receive_post_processing_events: flag.default(true),
  receive_acknowledgments: flag.default(true),
  receive_errors: flag.default(true),
  receive_lifecycle_events: flag.default(false),
});

const callbackConfig = z.strictObject({
  url: z.url().optional(),
  ...Object.fromEntries(Object.keys(messagesConfig.shape).map((name) => [name, flag.optional()])),
});

const METADATA_CHARACTERS = 2000;
const customMetadata = z
  .record(z.string(), z.unknown())
  .refine((value) => JSON.stringify(value).length <= METADATA_CHARACTERS, {
    error: `must be at most ${METADATA_CHARACTERS} characters when stringified`,
  });

const sessionRequest = z.strictObject({
  encoding: z.enum(['wav/pcm', 'wav/alaw', 'wav/ulaw']).default('wav/pcm'),
  bit_depth: z.literal([8, 16, 24, 32]).default(16),
  sample_rate: z.literal([8000, 16_000, 32_000, 44_100, 48_000]).default(16_000),
  channels: z.number().int().min(1).max(8).default(1),
  custom_metadata: customMetadata.optional(),
  model: z.literal('solaria-1').default('solaria-1'),
  endpointing: z.number().min(0.01).max(10).default(0.05),
  maximum_duration_without_endpointing: z.number().min(5).max(60).default(5),
  language_config: languageConfig.prefault({}),
  pre_processing: preProcessing.prefault({}),
  realtime_processing: realtimeProcessing.prefault({}),
  post_processing: postProcessing.prefault({}),
  messages_config: messagesConfig.prefault({}),
  callback: flag.default(false),
  callback_config: callbackConfig.optional(),
});

/** A session request with the documented defaults filled in. */
export type SessionRequest = z.output<typeof sessionRequest>;
/** Which messages the client wants on the socket. */
export type MessagesConfig = SessionRequest['messages_config'];

export type SessionRequestResult =
  | { readonly request: SessionRequest; readonly errors?: never }
  | { readonly request?: never; readonly errors: readonly string[] };

/** Checks the body of POST /v2/live against the contract; gives every fault as a sentence that names its field. */
export function parseSessionRequest(body: unknown): SessionRequestResult {
  const result = sessionRequest.safeParse(body);
  if (!result.success) return { errors: result.error.issues.flatMap(describe) };
  const errors = missingConfigs(result.data);
  return errors.length === 0 ? { request: result.data } : { errors };
}

function describe(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [`Field "${path}": ${issue.message}`];
  return issue.keys.map((key) => `Field "${path === '' ? key : `${path}.${key}`}" is not known`);
}

/** An add-on that cannot work without its configuration. Whether Gladia says 400 here is UNKNOWN. */
function missingConfigs({ realtime_processing: processing }: SessionRequest): string[] {
  return (['translation', 'custom_spelling', 'custom_vocabulary'] as const)
    .filter((addOn) => processing[addOn] && processing[`${addOn}_config`] === undefined)
    .map((addOn) => `Field "realtime_processing.${addOn}_config" is needed when ${addOn} is true`);
}
