// @ts-check
// Reference: the least that a relay on `ws` can do. One track. Finds the payload by string search, forwards it in chunks
// and reads the acknowledgments. No safety at all. Plain JavaScript, so that no loader runs in what is measured.
import { WebSocket, WebSocketServer } from 'ws';

const { SPEECH_URL = '', AUDIO_CHUNK_MS = '20' } = process.env;
const CHUNK_BYTES = Number(AUDIO_CHUNK_MS) * 8;
const PAYLOAD = Buffer.from('"payload":"');
const RANGE = Buffer.from('"byte_range":[');
const QUOTE = 0x22;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('listening', () =>
  console.log(JSON.stringify({ port: Reflect.get(server.address() ?? {}, 'port') })),
);

server.on('connection', (caller) => {
  const speech = new WebSocket(SPEECH_URL, { perMessageDeflate: false });
  /** @type {Buffer[]} */
  let waiting = [];
  let waitingBytes = 0;
  let ackedBytes = 0;

  const pump = () => {
    if (speech.readyState !== WebSocket.OPEN || waitingBytes < CHUNK_BYTES) return;
    speech.send(waiting.length === 1 ? waiting[0] : Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  };

  caller.on('message', (/** @type {Buffer} */ message) => {
    const found = message.indexOf(PAYLOAD);
    if (found === -1) return;
    const from = found + PAYLOAD.length;
    const audio = Buffer.from(message.latin1Slice(from, message.indexOf(QUOTE, from)), 'base64');
    waiting.push(audio);
    waitingBytes += audio.length;
    pump();
  });
  speech.on('open', pump);
  speech.on('message', (/** @type {Buffer} */ message) => {
    const found = message.indexOf(RANGE);
    if (found === -1) return;
    const comma = message.indexOf(',', found);
    ackedBytes = Number(message.latin1Slice(comma + 1, message.indexOf(']', comma)));
  });
  caller.on('close', () => speech.send('{"type":"stop_recording"}'));
  caller.on('error', () => undefined);
  speech.on('error', () => caller.close());
  speech.on('close', () => {
    if (Number.isNaN(ackedBytes)) throw new Error('An acknowledgment could not be read');
    caller.terminate();
  });
});

process.on('SIGTERM', () => process.exit());
