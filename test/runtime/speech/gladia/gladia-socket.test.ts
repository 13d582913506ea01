import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { createLogger } from '../../../../runtime/observability/logger';
import { Metrics } from '../../../../runtime/observability/metrics';
import { GLADIA_TIMING } from '../../../../runtime/speech/gladia/gladia-provider';
import { GladiaSocket } from '../../../../runtime/speech/gladia/gladia-socket';
import type { SpeechSocketListener } from '../../../../runtime/speech/speech-provider';

const ACKNOWLEDGMENT =
  '{"session_id":"s","created_at":"c","type":"audio_chunk","acknowledged":true,"error":null,"data":{"byte_range":[0,160],"time_range":[0,0.02]}}';
const SPEECH_START =
  '{"type":"speech_start","session_id":"s","created_at":"c","data":{"time":0,"channel":0}}';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});
afterEach(() => {
  server.clients.forEach((client) => client.terminate());
  server.close();
});

function connect(onOpened: (socket: GladiaSocket) => void = () => undefined) {
  const told: string[] = [];
  const listener: SpeechSocketListener = {
    opened: () => {
      told.push('opened');
      onOpened(socket);
    },
    acknowledged: ({ toByte }) => told.push(`acknowledged to ${toByte}`),
    heard: ({ type }) => told.push(`heard ${type}`),
    closed: ({ decision }) => told.push(`closed: ${decision}`),
  };
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const socket = new GladiaSocket(
    { ...GLADIA_TIMING, url, logger: createLogger('silent', 2), metrics: new Metrics() },
    listener,
  );
  return { socket, told };
}

const peer = async (): Promise<WebSocket> => ((await once(server, 'connection')) as [WebSocket])[0];

test('tells of acknowledgments, texts and the end', async () => {
  const { told } = connect();
  const gladia = await peer();
  for (const each of [ACKNOWLEDGMENT, SPEECH_START, ACKNOWLEDGMENT]) gladia.send(each);
  gladia.close(1000);
  await once(gladia, 'close');
  await new Promise(setImmediate);
  expect(told).toEqual([
    'opened',
    'acknowledged to 160',
    'heard alive',
    'acknowledged to 160',
    'closed: done',
  ]);
});

test.each(['drop', 'end'] as const)(
  'tells nothing after it was closed as %s, whatever comes',
  async (how) => {
    const { told } = connect((socket) => socket.close(how));
    const gladia = await peer();
    for (const each of [ACKNOWLEDGMENT, SPEECH_START, ACKNOWLEDGMENT]) gladia.send(each);
    await once(gladia, 'close');
    await new Promise(setImmediate);
    expect(told).toEqual(['opened']);
  },
);
