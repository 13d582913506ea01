import { parseSessionRequest } from '../../../local/gladia/session-request';

test('an empty body is valid and gets the documented defaults', () => {
  expect(parseSessionRequest({}).request).toMatchObject({
    encoding: 'wav/pcm',
    bit_depth: 16,
    sample_rate: 16_000,
    channels: 1,
    model: 'solaria-1',
    endpointing: 0.05,
    maximum_duration_without_endpointing: 5,
    language_config: { languages: [], code_switching: false },
    pre_processing: { audio_enhancer: false, speech_threshold: 0.6 },
    messages_config: {
      receive_partial_transcripts: false,
      receive_final_transcripts: true,
      receive_speech_events: true,
      receive_acknowledgments: true,
      receive_lifecycle_events: false,
      receive_post_processing_events: true,
    },
  });
});

test('the example of the reference is valid', () => {
  const vocabulary = [
    'Westeros',
    { value: "Night's Watch", pronunciations: ['Nightz Watch'], intensity: 0.4, language: 'en' },
  ];
  const body = {
    encoding: 'wav/ulaw',
    bit_depth: 8,
    sample_rate: 8000,
    channels: 2,
    endpointing: 0.3,
    maximum_duration_without_endpointing: 15,
    language_config: { languages: ['en'], code_switching: false },
    realtime_processing: {
      custom_vocabulary: true,
      custom_vocabulary_config: { vocabulary, default_intensity: 0.5 },
    },
    custom_metadata: { call_id: 'c-42' },
  };
  expect(parseSessionRequest(body).errors).toBeUndefined();
});

test.each([
  [{ diarization: true }, 'diarization'],
  [{ messages_config: { receive_everything: true } }, 'messages_config.receive_everything'],
  [{ realtime_processing: { pii_redaction: true } }, 'realtime_processing.pii_redaction'],
  [{ encoding: 'mulaw' }, 'encoding'],
  [{ sample_rate: 11_025 }, 'sample_rate'],
  [{ sample_rate: '8000' }, 'sample_rate'],
  [{ bit_depth: 12 }, 'bit_depth'],
  [{ channels: 0 }, 'channels'],
  [{ channels: 9 }, 'channels'],
  [{ channels: 1.5 }, 'channels'],
  [{ endpointing: 0.001 }, 'endpointing'],
  [{ endpointing: 11 }, 'endpointing'],
  [{ maximum_duration_without_endpointing: 4 }, 'maximum_duration_without_endpointing'],
  [{ maximum_duration_without_endpointing: 61 }, 'maximum_duration_without_endpointing'],
  [{ language_config: { languages: ['klingon'] } }, 'language_config.languages.0'],
  [{ language_config: { languages: 'en' } }, 'language_config.languages'],
  [{ model: 'solaria-3' }, 'model'],
  [{ pre_processing: { speech_threshold: 2 } }, 'pre_processing.speech_threshold'],
  [{ custom_metadata: { text: 'x'.repeat(2000) } }, 'custom_metadata'],
  [{ callback: true, callback_config: { url: 'nowhere' } }, 'callback_config.url'],
  [
    { realtime_processing: { translation: true, translation_config: { target_languages: [] } } },
    'target_languages',
  ],
  [{ realtime_processing: { translation: true } }, 'realtime_processing.translation_config'],
  [{ realtime_processing: { custom_spelling: true } }, 'realtime_processing.custom_spelling_config'],
])('%j is refused, naming %s', (body, field) => {
  const { errors } = parseSessionRequest(body);
  expect(errors).toHaveLength(1);
  expect(errors![0]).toContain(field);
});

test.each([[null], ['text'], [[]], [7]])('a body that is %j is refused', (body) => {
  expect(parseSessionRequest(body).errors).toHaveLength(1);
});
