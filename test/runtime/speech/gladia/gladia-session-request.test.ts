import { parseGladiaSessionOptions } from '../../../../runtime/speech/gladia/gladia-session-options';
import { gladiaSessionRequest } from '../../../../runtime/speech/gladia/gladia-session-request';

const request = { callSid: 'CA1', streamSid: 'MZ1', channels: 2 };

describe('GLADIA_SESSION_OPTIONS', () => {
  const vocabulary = { vocabulary: ['Callscript'] };

  test.each([
    ['{', 'is not JSON'],
    ['[]', 'must be a JSON object'],
    ['{"channels":1}', 'channels: the relay sets it; use TRACKS'],
    ['{"messages_config":{}}', 'messages_config: the relay sets it: it needs every message'],
    ['{"region":"eu-west"}', 'region: use GLADIA_REGION'],
    [
      '{"diarization":true}',
      "diarization: Gladia's live API has no diarization; TRACKS=both keeps the two sides of a call apart",
    ],
    [
      '{"realtime_processing":{"diarization":true}}',
      "realtime_processing.diarization: Gladia's live API has no diarization; TRACKS=both keeps the two sides of a call apart",
    ],
    ['{"wether":1}', "wether: Gladia's live API has no such option"],
    ['{"endpointing":20}', /^endpointing: /],
    ['{"maximum_duration_without_endpointing":4}', /^maximum_duration_without_endpointing: /],
    ['{"language_config":{"languages":["english"]}}', /^language_config\.languages\.0: /],
    [
      '{"realtime_processing":{"translation":true}}',
      'realtime_processing.translation: needs realtime_processing.translation_config',
    ],
    [
      '{"realtime_processing":{"custom_vocabulary":true}}',
      'realtime_processing.custom_vocabulary: needs realtime_processing.custom_vocabulary_config',
    ],
  ])('%s is refused with what would be right', (json, message) => {
    expect(() => parseGladiaSessionOptions(json)).toThrow(message);
  });

  test('asking for redaction is refused with what to use', () => {
    expect(() => parseGladiaSessionOptions('{"pii_redaction":true}')).toThrow(
      /pii_redaction: .* no redaction; pause the stream/,
    );
  });

  test('with the configuration of an add-on turns it on', () => {
    const options = parseGladiaSessionOptions(
      JSON.stringify({ realtime_processing: { custom_vocabulary_config: vocabulary } }),
    );
    expect(options.realtime_processing?.custom_vocabulary).toBe(true);
  });

  test('may turn a configured add-on off', () => {
    const json = JSON.stringify({
      realtime_processing: { custom_vocabulary: false, custom_vocabulary_config: vocabulary },
    });
    expect(parseGladiaSessionOptions(json).realtime_processing?.custom_vocabulary).toBe(false);
  });
});

describe('a session request', () => {
  test("declares Twilio's audio as it is and asks for every message", () => {
    const body = gladiaSessionRequest(request, {});
    expect(body).toMatchObject({
      encoding: 'wav/ulaw',
      bit_depth: 8,
      sample_rate: 8000,
      channels: 2,
      endpointing: 0.3,
      maximum_duration_without_endpointing: 15,
    });
    const flags = Object.values(body['messages_config'] as object);
    expect(flags).toHaveLength(9);
    expect(flags.every((flag) => flag === true)).toBe(true);
  });

  test('carries the options, and names the call beside the metadata of the user', () => {
    const body = gladiaSessionRequest(request, { endpointing: 0.2, custom_metadata: { tenant: 't1' } });
    expect(body['endpointing']).toBe(0.2);
    expect(body['custom_metadata']).toEqual({ tenant: 't1', callSid: 'CA1', streamSid: 'MZ1' });
  });

  test("prefers the call's languages, and switches between them when there are several", () => {
    const options = { language_config: { languages: ['en'] } };
    expect(gladiaSessionRequest({ ...request, languages: ['fr', 'de'] }, options)['language_config']).toEqual(
      { languages: ['fr', 'de'], code_switching: true },
    );
    expect(gladiaSessionRequest(request, options)['language_config']).toEqual({ languages: ['en'] });
  });

  test('leaves out a language that Gladia does not know, because it would cost the whole call', () => {
    expect(gladiaSessionRequest({ ...request, languages: ['klingon'] }, {})).not.toHaveProperty(
      'language_config',
    );
  });

  test("adds the call's vocabulary to the configured one", () => {
    const options = {
      realtime_processing: {
        sentiment_analysis: true,
        custom_vocabulary_config: { vocabulary: ['Callscript'] },
      },
    };
    expect(
      gladiaSessionRequest({ ...request, vocabulary: ['Fargate'] }, options)['realtime_processing'],
    ).toEqual({
      sentiment_analysis: true,
      custom_vocabulary: true,
      custom_vocabulary_config: { vocabulary: ['Callscript', 'Fargate'] },
    });
  });
});
