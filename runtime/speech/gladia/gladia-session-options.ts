import { z } from 'zod';

/** Languages of live transcription (gladia-live.md, 1.2). */
export const GLADIA_LANGUAGES = (
  'af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it ja jw ' +
  'ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv ' +
  'sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh'
).split(' ');

const language = z.enum(GLADIA_LANGUAGES);
const share = z.number().min(0).max(1);

const vocabularyEntry = z.union([
  z.string().min(1),
  z.strictObject({
    value: z.string().min(1),
    intensity: share.optional(),
    pronunciations: z.array(z.string()).optional(),
    language: language.optional(),
  }),
]);

/** What a user may set of a session request (gladia-live.md, 1.2). The rest belongs to the relay. */
const schema = z.strictObject({
  model: z.string().optional(),
  endpointing: z.number().min(0.01).max(10).optional(),
  maximum_duration_without_endpointing: z.number().min(5).max(60).optional(),
  language_config: z
    .strictObject({ languages: z.array(language).optional(), code_switching: z.boolean().optional() })
    .optional(),
  pre_processing: z
    .strictObject({ audio_enhancer: z.boolean().optional(), speech_threshold: share.optional() })
    .optional(),
  realtime_processing: z
    .strictObject({
      custom_vocabulary: z.boolean().optional(),
      custom_vocabulary_config: z
        .strictObject({
          vocabulary: z.array(vocabularyEntry).min(1).max(100),
          default_intensity: share.optional(),
        })
        .optional(),
      custom_spelling: z.boolean().optional(),
      custom_spelling_config: z
        .strictObject({ spelling_dictionary: z.record(z.string(), z.array(z.string())) })
        .optional(),
      translation: z.boolean().optional(),
      translation_config: z
        .strictObject({
          target_languages: z.array(z.enum([...GLADIA_LANGUAGES, 'wo'])).min(1),
          model: z.enum(['base', 'enhanced', 'batch']).optional(),
          match_original_utterances: z.boolean().optional(),
          lipsync: z.boolean().optional(),
          context_adaptation: z.boolean().optional(),
          context: z.string().optional(),
          informal: z.boolean().optional(),
        })
        .optional(),
      named_entity_recognition: z.boolean().optional(),
      sentiment_analysis: z.boolean().optional(),
    })
    .optional(),
  post_processing: z
    .strictObject({
      summarization: z.boolean().optional(),
      summarization_config: z
        .strictObject({ type: z.enum(['general', 'bullet_points', 'concise']).optional() })
        .optional(),
    })
    .optional(),
  custom_metadata: z.record(z.string(), z.unknown()).optional(),
  callback: z.boolean().optional(),
  callback_config: z.record(z.string(), z.unknown()).optional(),
});

export type GladiaSessionOptions = z.infer<typeof schema>;

/** Why a key is refused, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  encoding: 'the relay sets it: Twilio sends mu-law',
  bit_depth: 'the relay sets it: Twilio sends mu-law',
  sample_rate: 'the relay sets it: Twilio sends 8000 Hz',
  channels: 'the relay sets it; use TRACKS',
  messages_config: 'the relay sets it: it needs every message',
  region: 'use GLADIA_REGION',
  diarization: "Gladia's live API has no diarization; TRACKS=both keeps the two sides of a call apart",
  diarization_config: "Gladia's live API has no diarization; TRACKS=both keeps the two sides of a call apart",
  pii_redaction:
    "Gladia's live API has no redaction; pause the stream while card data is spoken, set realtime_processing.named_entity_recognition and redact where you read, or lower RETENTION_DAYS",
  chapterization: 'Gladia ignores it since SDK 2.1',
};
/** A flag, and the configuration that it needs or that implies it. */
const FLAGS = [
  ['realtime_processing', 'custom_vocabulary', 'custom_vocabulary_config', true],
  ['realtime_processing', 'custom_spelling', 'custom_spelling_config', true],
  ['realtime_processing', 'translation', 'translation_config', true],
  ['post_processing', 'summarization', 'summarization_config', false],
] as const;

/**
 * Reads `GLADIA_SESSION_OPTIONS`. An add-on's configuration alone turns the add-on on.
 * @throws Error with one sentence that names the key, what is wrong and what would be right
 */
export function parseGladiaSessionOptions(json: string): GladiaSessionOptions {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Error(sentenceFor(parsed.error.issues[0]));
  return withFlags(parsed.data);
}

function sentenceFor(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid';
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const name = path === '' ? key : `${path}.${key}`;
    return `${name}: ${REFUSED[key] ?? "Gladia's live API has no such option"}`;
  }
  if (issue.path.at(-1) === 'languages' || issue.path.includes('target_languages'))
    return `${path}: not a language code of Gladia, such as en`;
  return path === '' ? 'must be a JSON object' : `${path}: ${issue.message}`;
}

function withFlags(options: GladiaSessionOptions): GladiaSessionOptions {
  const result: Record<string, unknown> = { ...options };
  for (const [section, flag, config, isConfigNeeded] of FLAGS) {
    const part: Record<string, unknown> | undefined = options[section];
    if (part === undefined) continue;
    if (part[flag] === true && part[config] === undefined && isConfigNeeded) {
      throw new Error(`${section}.${flag}: needs ${section}.${config}`);
    }
    if (part[config] !== undefined && part[flag] === undefined) {
      result[section] = { ...(result[section] as Record<string, unknown>), [flag]: true };
    }
  }
  return result as GladiaSessionOptions;
}

/** Whether results follow the finals: a translation, entities, a sentiment. */
export function hasAddOns({ realtime_processing: processing }: GladiaSessionOptions): boolean {
  return (
    processing?.translation === true ||
    processing?.named_entity_recognition === true ||
    processing?.sentiment_analysis === true
  );
}
