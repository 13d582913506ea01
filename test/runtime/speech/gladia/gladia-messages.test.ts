import fc from 'fast-check';
import { parseGladiaJob, parseGladiaMessage } from '../../../../runtime/speech/gladia/gladia-messages';

const envelope = {
  session_id: 'de0a341d-c69f-4e15-a649-7b3f49e211f0',
  created_at: '2024-10-10T14:35:28.387Z',
};
const spoken = {
  text: ' Hello world',
  start: 0.188,
  end: 1.284,
  language: 'en',
  confidence: 1,
  channel: 1,
  words: [{ word: ' Hello', start: 0.188, end: 0.735, confidence: 1 }],
};
const heard = {
  text: 'Hello world',
  startMs: 188,
  endMs: 1_284,
  language: 'en',
  confidence: 1,
  channel: 1,
  words: [{ text: 'Hello', startMs: 188, endMs: 735, confidence: 1 }],
};

function parse(message: object) {
  return parseGladiaMessage(JSON.stringify({ ...envelope, ...message }));
}

describe('a message', () => {
  test('with an ack of audio gives its range', () => {
    const data = { byte_range: [1024, 2048], time_range: [0.8, 0.9] };
    expect(parse({ type: 'audio_chunk', acknowledged: true, error: null, data })).toEqual({
      kind: 'acknowledged',
      range: { fromByte: 1024, toByte: 2048, fromMs: 800 },
    });
  });

  test('with an ack that is none is ignored', () => {
    const error = { status_code: 409, exception: 'ConflictError', message: 'Recording already stopped' };
    expect(parse({ type: 'stop_recording', acknowledged: false, error, data: {} })).toEqual({
      kind: 'ignored',
      reason: 'refused',
    });
    expect(
      parse({ type: 'audio_chunk', acknowledged: true, error: null, data: { byte_range: ['a', 1] } }).kind,
    ).toBe('ignored');
    expect(parse({ type: 'audio_chunk', acknowledged: true, error: null, data: null }).kind).toBe('ignored');
  });

  test.each([true, false])(
    'with a transcript (final: %s) gives trimmed text and times in milliseconds',
    (isFinal) => {
      const message = {
        type: 'transcript',
        data: { id: '01_00000000', is_final: isFinal, utterance: spoken },
      };
      expect(parse(message)).toEqual({
        kind: 'heard',
        event: { type: 'transcript', isFinal, utteranceId: '01_00000000', utterance: heard },
      });
    },
  );

  test.each([
    [
      'a translation',
      { type: 'translation', data: { target_language: 'fr', translated_utterance: { text: ' Bonjour' } } },
      'translation',
      { fr: 'Bonjour' },
    ],
    [
      'entities',
      { type: 'named_entity_recognition', data: { results: [{ entity_type: 'NAME_GIVEN', text: 'Sasha' }] } },
      'entities',
      [{ entity_type: 'NAME_GIVEN', text: 'Sasha' }],
    ],
    [
      'sentiment',
      { type: 'sentiment_analysis', data: { results: [{ sentiment: 'positive' }] } },
      'sentiment',
      [{ sentiment: 'positive' }],
    ],
  ])('with %s gives it with its utterance', (_name, message, kind, value) => {
    const data = { utterance_id: '01_00000001', utterance: spoken, ...message.data };
    expect(parse({ type: message.type, error: null, data })).toEqual({
      kind: 'heard',
      event: { type: 'add-on', addOn: { kind, utteranceId: '01_00000001', utterance: heard, value } },
    });
  });

  test('with a failed add-on is ignored', () => {
    expect(parse({ type: 'translation', error: { message: 'no' }, data: null })).toEqual({
      kind: 'ignored',
      reason: 'refused',
    });
  });

  test.each([
    [
      { type: 'stop_recording', acknowledged: true, error: null, data: { recording_duration: 344.45 } },
      'stop_recording.recording_duration',
    ],
    [{ type: 'end_recording', data: { recording_duration: 344.45 } }, 'end_recording.recording_duration'],
    [
      { type: 'post_final_transcript', data: { metadata: { audio_duration: 344.45 } } },
      'metadata.audio_duration',
    ],
  ])('that reports a duration says in which field', (message, source) => {
    expect(parse(message)).toEqual({
      kind: 'heard',
      event: { type: 'duration', durationMs: 344_450, source },
    });
  });

  test('with a summary gives its text', () => {
    const message = { type: 'post_summarization', error: null, data: { results: 'They agreed.' } };
    expect(parse(message)).toEqual({ kind: 'heard', event: { type: 'summary', text: 'They agreed.' } });
  });

  test.each([
    'speech_start',
    'speech_end',
    'start_session',
    'start_recording',
    'end_session',
    'post_transcript',
  ])('of type %s only shows the service at work', (type) =>
    expect(parse({ type, data: { time: 1, channel: 0 } })).toEqual({
      kind: 'heard',
      event: { type: 'alive' },
    }),
  );

  test.each([
    ['not JSON', '{"type":', 'not-json'],
    ['no object', '[1]', 'malformed'],
    ['of an unknown type', '{"type":"weather"}', 'unknown-type'],
    ['without a type', '{}', 'unknown-type'],
    ['an error', '{"type":"error","data":{"code":"internal_error","message":"x"}}', 'error'],
    [
      'a transcript without utterance',
      '{"type":"transcript","data":{"id":"a","is_final":true}}',
      'malformed',
    ],
    [
      'a transcript with times that are texts',
      '{"type":"transcript","data":{"id":"a","is_final":true,"utterance":{"text":"a","start":"0","end":"1"}}}',
      'malformed',
    ],
    [
      'a transcript that does not say whether it is final',
      '{"type":"transcript","data":{"id":"a","utterance":{"text":"a","start":0,"end":1}}}',
      'malformed',
    ],
    [
      'a transcript from before the start',
      '{"type":"transcript","data":{"id":"a","is_final":true,"utterance":{"text":"a","start":-1,"end":1}}}',
      'malformed',
    ],
  ])('that is %s is ignored with a reason', (_name, text, reason) => {
    expect(parseGladiaMessage(text)).toEqual({ kind: 'ignored', reason });
  });

  test('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseGladiaMessage(text)),
      { numRuns: 500 },
    );
    const types = fc.constantFrom(
      'transcript',
      'translation',
      'end_recording',
      'post_final_transcript',
      'post_summarization',
      'audio_chunk',
    );
    const shapes = fc.record({
      type: types,
      data: fc.jsonValue(),
      acknowledged: fc.option(fc.boolean()),
      error: fc.jsonValue(),
    });
    fc.assert(
      fc.property(shapes, (shape) => void parseGladiaMessage(JSON.stringify(shape))),
      { numRuns: 500 },
    );
  });
});

describe('a job', () => {
  test.each(['queued', 'processing'])('that is %s has no result yet', (status) => {
    expect(parseGladiaJob({ id: 'x', status })).toBeUndefined();
  });

  test('that is done gives facts, utterances and summary', () => {
    const result = {
      metadata: { audio_duration: 12.5, billing_time: 25 },
      transcription: { languages: ['en'], utterances: [spoken, { text: 'no times' }] },
      summarization: { success: true, results: 'They agreed.' },
    };
    expect(parseGladiaJob({ id: 'x', status: 'done', result })).toEqual({
      facts: { status: 'done', audioSeconds: 12.5, billedSeconds: 25, languages: ['en'] },
      utterances: [heard],
      summary: 'They agreed.',
    });
  });

  test('that failed is no result', () => {
    expect(() => parseGladiaJob({ id: 'x', status: 'error', error_code: 500 })).toThrow(
      'Gladia failed on the session',
    );
  });

  test('of any shape gives a result, none yet, or that failure', () => {
    const job = fc.oneof(
      fc.jsonValue(),
      fc.record({ status: fc.constant('done'), result: fc.jsonValue(), file: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(job, (value) => void parseGladiaJob(value)),
      { numRuns: 300 },
    );
  });
});
