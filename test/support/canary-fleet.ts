import { readFileSync } from 'node:fs';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { startFleet, type Fleet } from '../../local/fleet';
import type { FleetRelay } from '../../local/fleet/fleet-relay';
import { FLEET_REST_KEY } from '../../local/fleet/relay-environment';
import { LOCAL_REGION, LOCAL_TABLE } from '../../local/embedded-dynamodb';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import { randomSid } from '../../local/twilio/random-sids';
import { twilioSignatureOf } from '../../local/twilio/twilio-signature-of';
import type { Call } from '../../local/twilio/twilio-caller';
import { PARTITION_KEY } from '../../runtime/contract/transcripts-table';
import { createDocumentClient } from '../../runtime/store/dynamodb-client';
import { spokenAudio } from './audio';
import type { Canaries } from './canaries';
import { rawExchange } from './raw-exchange';
import { WsPeer } from './ws-peer';

export type Item = Readonly<Record<string, unknown>>;

/** What is said, and may be in the transcript; who speaks, and may be in the call's item. */
export interface Told {
  readonly words: string;
  readonly summary: string;
  readonly from: string;
  readonly to: string;
}

/** Relays that log all they can, with a canary in every setting that takes one. */
export async function startCanaryFleet(
  canaries: Canaries,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ fleet: Fleet; told: Told }> {
  const told = {
    words: canaries.sentence('transcript'),
    summary: canaries.sentence('summary'),
    from: canaries.number('caller'),
    to: canaries.number('called number'),
  };
  const gladiaKey = canaries.secret('Gladia key');
  const fleet = await startFleet({
    size: 2,
    paceFactor: 2,
    gladia: {
      apiKeys: [gladiaKey],
      limits: { processingMs: 10 },
      recogniser: createScriptedRecogniser(() => ({
        channels: [[{ startMs: 200, endMs: 900, text: told.words }]],
        summary: told.summary,
      })),
    },
    settings: {
      LOG_LEVEL: 'debug',
      GLADIA_API_KEY: gladiaKey,
      TICKET_KEY: `${canaries.secret('ticket key')}-0123456789abcdef0123456789abcdef`,
      VOICE_TWIML: `<Say>${canaries.sentence('VOICE_TWIML')}</Say><Dial>${canaries.number('dialled')}</Dial>`,
      GLADIA_SESSION_OPTIONS: JSON.stringify({
        custom_metadata: { note: canaries.sentence('session options') },
        realtime_processing: {
          custom_vocabulary: true,
          custom_vocabulary_config: { vocabulary: [canaries.secret('vocabulary')] },
        },
        post_processing: { summarization: true },
      }),
      ...settings,
    },
  });
  canaries.known('auth token', fleet.twilio.authToken);
  canaries.known('REST secret', FLEET_REST_KEY.secret);
  canaries.known('stream signature', signatureOf(fleet, fleet.mediaUrl));
  return { fleet, told };
}

function signatureOf(fleet: Fleet, url: string, fields: Record<string, string> = {}): string {
  return twilioSignatureOf({ authToken: fleet.twilio.authToken, url, fields });
}

/** A call that comes through `/voice`; it lasts 5 s, in half the time. */
export function webhookCall(fleet: Fleet, { from, to }: Told): Call {
  const speech = [{ startMs: 200, endMs: 900 }];
  return fleet.call({
    from,
    to,
    audio: { inbound: spokenAudio(5_000, speech, 31), outbound: spokenAudio(5_000, [], 32) },
  });
}

/** A call from a TwiML Bin with parameters of its own. */
export function parameterCall(fleet: Fleet, canaries: Canaries, { from, to }: Told): Call {
  const audio = spokenAudio(5_000, [{ startMs: 200, endMs: 900 }], 33);
  canaries.known('audio', audio.subarray(160, 200).toString('base64').slice(0, 48));
  return fleet.call({
    from,
    to,
    stream: {
      url: fleet.mediaUrl,
      tracks: ['inbound'],
      parameters: {
        from,
        to,
        direction: 'inbound',
        language: canaries.secret('language parameter'),
        vocabulary: canaries.secret('vocabulary parameter'),
        [canaries.secret('parameter name')]: canaries.sentence('parameter'),
      },
    },
    audio: { inbound: audio },
  });
}

/** On a stream that goes on: whatever Twilio's envelope can carry, and what is no message at all. */
export function babble(call: Call, canaries: Canaries): void {
  const { streamSid } = call;
  const sentence = (place: string): string => canaries.sentence(`message: ${place}`);
  const media = { track: 'inbound', chunk: '1', timestamp: '0', payload: '////' };
  const messages: readonly unknown[] = [
    { event: 'dtmf', streamSid, dtmf: { track: 'inbound_track', digit: canaries.digits('card number') } },
    { event: 'mark', streamSid, mark: { name: sentence('mark') } },
    { event: sentence('event'), streamSid },
    { event: 'media', streamSid, media: { ...media, payload: sentence('payload') } },
    { event: 'media', streamSid, media: { ...media, track: sentence('track') } },
    { event: 'media', streamSid, media: { ...media, timestamp: canaries.number('timestamp') } },
    { event: 'media', streamSid: sentence('streamSid'), media },
    { event: 'stop', streamSid: canaries.number('streamSid'), stop: { callSid: sentence('stop') } },
    { event: 'stop', streamSid: canaries.plainNumber('streamSid'), stop: {} },
    { event: 'media', streamSid, media: { ...media, timestamp: canaries.plainNumber('timestamp') } },
    {
      event: 'start',
      streamSid,
      start: startBody(call, { customParameters: { a: sentence('second start') } }),
    },
    [sentence('array')],
    sentence('text'),
  ];
  for (const message of messages) call.sendRaw(JSON.stringify(message));
  call.sendRaw(`{"event":${sentence('broken JSON')}`);
  call.sendRaw(`{"event":"media","media":{"payload":"${sentence('cut JSON')}`);
  call.sendRaw(Buffer.from(sentence('binary')));
}

function startBody(
  { callSid, accountSid, streamSid }: Pick<Call, 'callSid' | 'accountSid' | 'streamSid'>,
  more: object,
): object {
  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
  return { callSid, accountSid, streamSid, tracks: ['inbound'], mediaFormat, customParameters: {}, ...more };
}

/** Sockets of their own, each with one message that ends it or is ignored. */
export async function badStarts(fleet: Fleet, canaries: Canaries): Promise<void> {
  const sids = () => ({
    callSid: randomSid('CA'),
    accountSid: fleet.twilio.accountSid,
    streamSid: randomSid('MZ'),
  });
  const sentence = (place: string): string => canaries.sentence(`start: ${place}`);
  const plain = (place: string): string => canaries.plainNumber(`start: ${place}`);
  const bodies: readonly object[] = [
    { mediaFormat: { encoding: sentence('encoding'), sampleRate: 8000, channels: 1 } },
    { mediaFormat: { encoding: canaries.number('encoding'), sampleRate: 8000, channels: 1 } },
    { mediaFormat: { encoding: `audio/a${plain('encoding')}`, sampleRate: 8000, channels: 1 } },
    { mediaFormat: { encoding: 'audio/l16', sampleRate: plain('sampleRate'), channels: plain('channels') } },
    { tracks: [sentence('tracks')] },
    { callSid: sentence('callSid') },
    { callSid: canaries.number('callSid') },
    { callSid: plain('callSid') },
    { callSid: `CA${plain('callSid with letters')}` },
    { streamSid: plain('streamSid') },
    { accountSid: plain('accountSid') },
    { accountSid: sentence('accountSid') },
    { accountSid: `AC${'0'.repeat(32)}`, customParameters: { ticket: canaries.secret('ticket') } },
    { customParameters: { ticket: canaries.secret('wrong ticket') } },
    { customParameters: { ticket: `eyJhbGciOiJub25lIn0.${canaries.secret('ticket of three parts')}.x` } },
  ];
  for (const body of bodies) {
    const peer = await mediaPeer(fleet);
    const start = startBody(sids(), body) as { streamSid: string };
    peer.send({ event: 'start', sequenceNumber: '1', start, streamSid: start.streamSid });
    peer.socket.close(4000, sentence('close reason'));
    await peer.closed();
  }
}

export function mediaPeer(fleet: Fleet): Promise<WsPeer> {
  const { port } = fleet.relays[0]!;
  return WsPeer.connect(`ws://127.0.0.1:${port}/media`, {
    headers: { 'x-twilio-signature': signatureOf(fleet, fleet.mediaUrl) },
  });
}

/** @returns every answer, head and body; all of them are refusals or say nothing */
export async function knockOnDoors(fleet: Fleet, canaries: Canaries): Promise<readonly string[]> {
  const { port } = fleet.relays[0]!;
  const secret = (place: string): string => canaries.secret(`door: ${place}`);
  const sentence = (place: string): string => canaries.sentence(`door: ${place}`);
  const number = (place: string): string => canaries.number(`door: ${place}`);
  const post = (path: string, body: string, headers: readonly string[] = []): string =>
    [
      `POST ${path} HTTP/1.1`,
      'host: relay.callscript.example',
      'connection: close',
      'content-type: application/x-www-form-urlencoded',
      `content-length: ${Buffer.byteLength(body)}`,
      ...headers,
      '',
      body,
    ].join('\r\n');
  const upgrade = (path: string, headers: readonly string[]): string =>
    [
      `GET ${path} HTTP/1.1`,
      'host: relay.callscript.example',
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
      '',
      '',
    ].join('\r\n');
  const signed = (path: string, fields: Record<string, string>): string => {
    const url = `https://relay.callscript.example${path}`;
    const signature = signatureOf(fleet, url, fields);
    canaries.known(`signature of ${path} ${Object.keys(fields).join()}`, signature);
    return post(path, new URLSearchParams(fields).toString(), [`x-twilio-signature: ${signature}`]);
  };
  const status = { CallSid: randomSid('CA'), StreamSid: randomSid('MZ'), StreamEvent: 'stream-error' };
  const requests = [
    post('/voice', `From=${number('From')}&Body=${sentence('form')}`),
    post('/voice', `From=${number('From, signed')}`, [`x-twilio-signature: ${secret('signature')}`]),
    post('/voice', `%${secret('broken form')}=%%%&\u0000`, [
      `authorization: Basic ${secret('authorization')}`,
    ]),
    post('/voice', 'x'.repeat(70_000) + secret('large form'), [`cookie: a=${secret('cookie')}`]),
    post(`/voice?token=${secret('query')}`, '', [`x-twilio-signature: ${secret('signature with query')}`]),
    post('/stream-status', `StreamError=${sentence('StreamError')}`),
    post(`/${secret('path')}`, sentence('body of a path that is not there')),
    post(`http://${secret('absolute URL')}/voice`, ''),
    upgrade(`/media?token=${secret('upgrade query')}`, []),
    upgrade('/media', [`x-twilio-signature: ${secret('upgrade signature')}`]),
    upgrade(`/${secret('upgrade path')}`, [`sec-websocket-protocol: ${secret('subprotocol')}`]),
    `${secret('no HTTP')}\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: a\r\n${secret('header name')}\u0000: a\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(17_000)}${secret('large header')}\r\n\r\n`,
    signed('/stream-status', {
      ...status,
      StreamName: number('StreamName'),
      StreamError: sentence('StreamError, signed'),
    }),
    signed('/stream-status', { ...status, StreamEvent: sentence('StreamEvent') }),
    signed('/stream-status', { ...status, CallSid: number('CallSid') }),
    signed('/stream-status', { ...status, CallSid: canaries.plainNumber('door: CallSid') }),
    signed('/stream-status', { ...status, StreamSid: canaries.plainNumber('door: StreamSid') }),
  ];
  return Promise.all(requests.map((request) => rawExchange(port, request)));
}

/** Everything that anybody can see of a relay but its calls. */
export async function outputsOf(relay: FleetRelay): Promise<Readonly<Record<string, string>>> {
  const running = relay.isRunning
    ? {
        metrics: await relay.scrape(),
        ready: await (await fetch(`http://127.0.0.1:${relay.adminPort}/ready`)).text(),
        ...processTitle(relay.pid),
      }
    : {};
  return {
    log: relay.lines.map((line) => JSON.stringify(line)).join('\n'),
    stderr: relay.stderr,
    ...running,
  };
}

/** What every user of the machine can read. */
function processTitle(pid: number | undefined): Readonly<Record<string, string>> {
  if (process.platform !== 'linux' || pid === undefined) return {};
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1');
  return { title: read('cmdline') + read('comm') };
}

/** The table, once no leg is in it any more: a call's last one stays until the end of the call is told. */
export async function itemsWithoutLegs({ store }: Pick<Fleet, 'store'>): Promise<readonly Item[]> {
  for (;;) {
    const items = await everyItem(store);
    if (!items.some(({ [PARTITION_KEY]: partition }) => /^LIVE#\d+$/.test(String(partition)))) return items;
    const { passed } = store.counts;
    await store.waitFor(() => store.counts.passed > passed, { what: 'the last legs to leave the table' });
  }
}

async function everyItem(store: Fleet['store']): Promise<readonly Item[]> {
  const client = createDocumentClient({ region: LOCAL_REGION, endpoint: store.endpoint });
  const { Items = [] } = await client.send(new ScanCommand({ TableName: LOCAL_TABLE }));
  client.destroy();
  return Items;
}
