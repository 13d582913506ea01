import type { Script } from '../../local/gladia/scripted-recogniser';
import { patternedAudio } from '../support/audio';
import { mediaUrl, PACE, testWorld } from '../support/test-world';

const AUDIO = { inbound: patternedAudio(2_000, 91), outbound: patternedAudio(2_000, 92) };
const SCRIPT: Script = {
  channels: [
    [
      {
        startMs: 200,
        endMs: 600,
        text: 'My name is Ada.',
        translations: { fr: "Je m'appelle Ada.", de: 'Ich heisse Ada.' },
        entities: [{ type: 'NAME_GIVEN', text: 'Ada' }],
        sentiment: { sentiment: 'neutral', emotion: 'calm' },
      },
    ],
    [
      {
        startMs: 1_000,
        endMs: 1_500,
        text: 'Thank you, Ada.',
        translations: { fr: 'Merci, Ada.', de: 'Danke, Ada.' },
        entities: [],
        sentiment: { sentiment: 'positive', emotion: 'joy' },
      },
    ],
  ],
  summary: 'Ada said who she is.',
};

const EVERYTHING = {
  language_config: { languages: ['en'] },
  realtime_processing: {
    translation_config: { target_languages: ['fr', 'de'] },
    named_entity_recognition: true,
    sentiment_analysis: true,
    custom_vocabulary_config: { vocabulary: ['Callscript'] },
    custom_spelling_config: { spelling_dictionary: { Adah: ['Ada.'] } },
  },
  post_processing: { summarization_config: { type: 'general' } },
};

test('every add-on ends up with the segment or the call it belongs to', async () => {
  const world = await testWorld({
    script: () => SCRIPT,
    settings: { GLADIA_SESSION_OPTIONS: JSON.stringify(EVERYTHING) },
  });
  const { callSid } = world.call({ audio: AUDIO, paceFactor: PACE });
  await world.sink.next('call-ended', callSid);
  const { segments, call } = await world.readAfterDrain(callSid);

  expect(segments).toHaveLength(2);
  const [name, thanks] = segments;
  expect(name).toMatchObject({
    speaker: 'customer',
    text: 'My name is Adah.',
    translation: { fr: "Je m'appelle Ada.", de: 'Ich heisse Ada.' },
    entities: [expect.objectContaining({ entity_type: 'NAME_GIVEN', text: 'Ada' })],
    sentiment: [expect.objectContaining({ sentiment: 'neutral', emotion: 'calm' })],
  });
  expect(thanks).toMatchObject({
    speaker: 'agent',
    translation: { fr: 'Merci, Ada.', de: 'Danke, Ada.' },
    sentiment: [expect.objectContaining({ sentiment: 'positive', emotion: 'joy' })],
  });
  expect(call).toMatchObject({ summary: 'Ada said who she is.' });
});

test('a summary too long for the call item is an item of its own', async () => {
  const summary = 'All of it. '.repeat(1_000);
  const world = await testWorld({
    script: () => ({ ...SCRIPT, summary }),
    settings: { GLADIA_SESSION_OPTIONS: '{"post_processing":{"summarization":true}}' },
  });
  const { callSid } = world.callOneTrack(AUDIO.inbound);
  await world.sink.next('call-ended', callSid);
  const { call, results } = await world.readAfterDrain(callSid);
  expect(call.summary).toBeUndefined();
  expect(results).toMatchObject([{ text: summary }]);
});

test('an add-on that Gladia cannot give costs the segment nothing', async () => {
  const [inbound] = SCRIPT.channels;
  const untranslated = inbound!.map(({ startMs, endMs, text }) => ({ startMs, endMs, text }));
  const world = await testWorld({
    script: () => ({ channels: [untranslated] }),
    settings: {
      GLADIA_SESSION_OPTIONS: '{"realtime_processing":{"translation_config":{"target_languages":["fr"]}}}',
    },
  });
  const { callSid } = world.callOneTrack(AUDIO.inbound);
  await world.sink.next('call-ended', callSid);
  const { segments } = await world.readAfterDrain(callSid);
  expect(segments).toMatchObject([{ text: 'My name is Ada.' }]);
  expect(segments[0]).not.toHaveProperty('translation');
  expect(world.relay.metrics.value('speechMessagesIgnored', 'refused')).toBe(1);
});

test("a call's own language and vocabulary reach Gladia, over what is configured, and no other call", async () => {
  const world = await testWorld({
    settings: {
      GLADIA_SESSION_OPTIONS: JSON.stringify({
        language_config: { languages: ['en'] },
        realtime_processing: { custom_vocabulary_config: { vocabulary: ['Callscript'] } },
      }),
    },
  });
  const stream = {
    url: mediaUrl(world),
    tracks: ['inbound'] as const,
    parameters: { language: 'fr, de, xx', vocabulary: 'Zürich, Ada', team: 'support' },
  };
  const own = world.call({ stream, audio: { inbound: AUDIO.inbound }, paceFactor: PACE });
  const other = world.callOneTrack(AUDIO.inbound);
  await Promise.all([own, other].map(({ callSid }) => world.sink.summary(callSid)));

  expect(world.sessionsOf(own.callSid)[0]!.body).toMatchObject({
    language_config: { languages: ['fr', 'de'], code_switching: true },
    realtime_processing: {
      custom_vocabulary: true,
      custom_vocabulary_config: { vocabulary: ['Callscript', 'Zürich', 'Ada'] },
    },
    custom_metadata: { callSid: own.callSid, streamSid: own.streamSid },
  });
  expect(world.sessionsOf(other.callSid)[0]!.body).toMatchObject({
    language_config: { languages: ['en'] },
    realtime_processing: { custom_vocabulary_config: { vocabulary: ['Callscript'] } },
  });
});

test('what the session request always says', async () => {
  const world = await testWorld({ settings: { GLADIA_REGION: 'eu-west' } });
  const call = world.call({ audio: AUDIO, paceFactor: PACE });
  await world.sink.summary(call.callSid);
  const [post] = world.gladia.requests;
  expect(post!.query).toContain('region=eu-west');
  expect(world.gladia.sessions[0]!.body).toMatchObject({
    encoding: 'wav/ulaw',
    bit_depth: 8,
    sample_rate: 8000,
    channels: 2,
    endpointing: 0.3,
    maximum_duration_without_endpointing: 15,
    messages_config: { receive_acknowledgments: true, receive_partial_transcripts: true },
  });
  expect(world.gladia.sessions[0]!.body).not.toHaveProperty('region');
});
