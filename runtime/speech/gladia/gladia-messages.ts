import {
  SpeechError,
  type AcknowledgedRange,
  type SessionResult,
  type SpeechEvent,
  type SpokenAddOn,
  type SpokenUtterance,
  type SpokenWord,
} from '../speech-provider';

/** One message from Gladia, as the relay uses it. */
export type GladiaMessage =
  | { readonly kind: 'acknowledged'; readonly range: AcknowledgedRange }
  | { readonly kind: 'heard'; readonly event: SpeechEvent }
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason };

export type IgnoredReason = 'not-json' | 'unknown-type' | 'malformed' | 'refused' | 'error';

type Json = Readonly<Record<string, unknown>>;

const ALIVE: GladiaMessage = { kind: 'heard', event: { type: 'alive' } };
const MALFORMED: GladiaMessage = { kind: 'ignored', reason: 'malformed' };

/**
 * Reads one text frame (gladia-live.md, 3). Unknown types and fields are no error; a known type in an unknown shape is
 * ignored, because one bad message must not cost the call.
 */
export function parseGladiaMessage(text: string): GladiaMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { kind: 'ignored', reason: 'not-json' };
  }
  if (!isJson(message)) return MALFORMED;
  // Acks share their types with messages of the client; `acknowledged` tells them apart (3.2).
  if ('acknowledged' in message) return acknowledgement(message);
  const data = isJson(message['data']) ? message['data'] : undefined;
  switch (message['type']) {
    case 'transcript':
      return heard(transcript(data));
    case 'translation':
    case 'named_entity_recognition':
    case 'sentiment_analysis':
      // A failed add-on says so in `error` and brings no data (3.5).
      return message['error'] === null || data !== undefined
        ? heard(addOn(message['type'], data))
        : { kind: 'ignored', reason: 'refused' };
    case 'post_summarization':
      return typeof data?.['results'] === 'string'
        ? heard({ type: 'summary', text: data['results'] })
        : ALIVE;
    case 'end_recording':
      return duration(data?.['recording_duration'], 'end_recording.recording_duration');
    case 'post_final_transcript':
      return isJson(data?.['metadata'])
        ? duration(data['metadata']['audio_duration'], 'metadata.audio_duration')
        : MALFORMED;
    case 'speech_start':
    case 'speech_end':
    case 'start_session':
    case 'start_recording':
    case 'end_session':
    case 'post_transcript':
    case 'post_chapterization':
      return ALIVE;
    case 'error':
      return { kind: 'ignored', reason: 'error' };
    default:
      return { kind: 'ignored', reason: 'unknown-type' };
  }
}

/**
 * Reads the answer of `GET /v2/live/{id}` (gladia-live.md, 5).
 * @returns `undefined` while Gladia is still working on it
 * @throws {SpeechError} when Gladia failed on it: what it has then is no result
 */
export function parseGladiaJob(job: unknown): SessionResult | undefined {
  if (!isJson(job)) return undefined;
  const status = text(job['status']);
  if (status === 'error')
    throw new SpeechError('Gladia failed on the session', { code: 'session-failed', retryable: false });
  if (status !== 'done') return undefined;
  const result = child(job, 'result');
  const metadata = child(result, 'metadata');
  const transcription = child(result, 'transcription');
  const summary = text(child(result, 'summarization')['results']);
  return {
    facts: {
      status,
      ...number('audioSeconds', metadata['audio_duration'] ?? child(job, 'file')['audio_duration']),
      ...number('billedSeconds', metadata['billing_time']),
      languages: list(transcription['languages']).filter((code) => typeof code === 'string'),
    },
    utterances: list(transcription['utterances']).flatMap((value) => utterance(value) ?? []),
    ...(summary === '' ? {} : { summary }),
  };
}

function acknowledgement(message: Json): GladiaMessage {
  if (message['acknowledged'] !== true) return { kind: 'ignored', reason: 'refused' };
  const data = child(message, 'data');
  if (message['type'] === 'stop_recording')
    return duration(data['recording_duration'], 'stop_recording.recording_duration');
  const [fromByte, toByte] = list(data['byte_range']);
  const [fromSeconds] = list(data['time_range']);
  if (!isCount(fromByte) || !isCount(toByte)) return MALFORMED;
  return {
    kind: 'acknowledged',
    range: { fromByte, toByte, ...(isCount(fromSeconds) ? { fromMs: fromSeconds * 1000 } : {}) },
  };
}

function transcript(data: Json | undefined): SpeechEvent | undefined {
  const spoken = utterance(data?.['utterance']);
  const id = data?.['id'];
  if (spoken === undefined || typeof id !== 'string' || typeof data?.['is_final'] !== 'boolean')
    return undefined;
  return { type: 'transcript', isFinal: data['is_final'], utteranceId: id, utterance: spoken };
}

function addOn(type: string, data: Json | undefined): SpeechEvent | undefined {
  const spoken = utterance(data?.['utterance']);
  const utteranceId = data?.['utterance_id'];
  if (spoken === undefined || typeof utteranceId !== 'string') return undefined;
  const found = addOnValue(type, data ?? {});
  return found === undefined
    ? undefined
    : { type: 'add-on', addOn: { ...found, utteranceId, utterance: spoken } };
}

function addOnValue(type: string, data: Json): Pick<SpokenAddOn, 'kind' | 'value'> | undefined {
  if (type !== 'translation') {
    const kind = type === 'sentiment_analysis' ? 'sentiment' : 'entities';
    return Array.isArray(data['results']) ? { kind, value: data['results'] } : undefined;
  }
  const language = data['target_language'];
  const translated = child(data, 'translated_utterance')['text'];
  if (typeof language !== 'string' || typeof translated !== 'string') return undefined;
  return { kind: 'translation', value: { [language]: translated.trim() } };
}

function utterance(value: unknown): SpokenUtterance | undefined {
  if (!isJson(value)) return undefined;
  const { start, end, channel } = value;
  if (typeof value['text'] !== 'string' || !isCount(start) || !isCount(end)) return undefined;
  return {
    // One channel only: a service may leave it out.
    channel: Number.isInteger(channel) ? Number(channel) : 0,
    text: value['text'].trim(),
    language: text(value['language']),
    confidence: isCount(value['confidence']) ? value['confidence'] : 0,
    startMs: start * 1000,
    endMs: Math.max(start, end) * 1000,
    words: list(value['words']).flatMap((word) => spokenWord(word) ?? []),
  };
}

function spokenWord(value: unknown): SpokenWord | undefined {
  if (!isJson(value) || !isCount(value['start']) || !isCount(value['end'])) return undefined;
  const confidence = isCount(value['confidence']) ? value['confidence'] : 0;
  return {
    text: text(value['word']).trim(),
    startMs: value['start'] * 1000,
    endMs: value['end'] * 1000,
    confidence,
  };
}

function duration(
  seconds: unknown,
  source: Extract<SpeechEvent, { type: 'duration' }>['source'],
): GladiaMessage {
  return isCount(seconds) ? heard({ type: 'duration', durationMs: seconds * 1000, source }) : ALIVE;
}

function heard(event: SpeechEvent | undefined): GladiaMessage {
  return event === undefined ? MALFORMED : { kind: 'heard', event };
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function child(parent: Json, key: string): Json {
  const value = parent[key];
  return isJson(value) ? value : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number<K extends string>(key: K, value: unknown): Partial<Record<K, number>> {
  return (isCount(value) ? { [key]: value } : {}) as Partial<Record<K, number>>;
}
