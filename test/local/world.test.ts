import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import { startWorld, type World } from '../../local/world';
import { createLogger } from '../../runtime/observability/logger';
import { patternedAudio } from '../support/audio';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function world(twilioRest: boolean): Promise<World> {
  const started = await startWorld({
    gladia: { recogniser: createScriptedRecogniser(), limits: { processingMs: 10 } },
    logger: createLogger('silent', 2),
    timing: { callEndGraceMs: 20, callEndPollMs: 20 },
    twilioRest,
  });
  worlds.push(started);
  return started;
}

const AUDIO = { inbound: patternedAudio(30_000, 1), outbound: patternedAudio(30_000, 2) };

it('with REST answers the relay, which may fork a call anew', async () => {
  const { twilio, call, gladia, publicUrl } = await world(true);
  const stream = {
    url: `${publicUrl.replace('https', 'wss')}/media`,
    tracks: ['inbound', 'outbound'],
  } as const;
  const live = call({ stream, audio: AUDIO });
  await gladia.waitFor(({ sessions }) => sessions.some(({ acceptedBytes }) => acceptedBytes > 0));
  await twilio!.waitFor(() => twilio!.requests.some(({ operation }) => operation === 'read call'));
  expect(twilio!.calls).toEqual([live]);
  live.createStream({ ...stream, parameters: {} });
  await gladia.waitFor(({ sessions }) => sessions.length === 2);
});

it('without REST has no Twilio to ask', async () => {
  const { twilio, config, call, gladia } = await world(false);
  expect(twilio).toBeUndefined();
  expect(config.twilio.isRestAllowed).toBe(false);
  const live = call({ audio: AUDIO, behaviour: { end: 'never' } });
  await gladia.waitFor(({ sessions }) => sessions.some(({ acceptedBytes }) => acceptedBytes > 0));
  live.hangUp();
});
