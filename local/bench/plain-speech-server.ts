import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { SAID, transcriptMessage } from './bench-transcripts';
import type { SpeechAddress } from './start-subject';

export interface PlainSpeechServer extends SpeechAddress {
  close(): Promise<void>;
}

const BYTES_PER_SECOND = 8_000;

/** A speech server for one track on `ws`, as anybody would write it: it shares no code with `SpeechSide` but the words. */
export async function startPlainSpeechServer(): Promise<PlainSpeechServer> {
  const server = createServer((request, response) => answer(request, response));
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', listenTo);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const isNew = request.method === 'POST';
    const id = isNew ? randomUUID() : (request.url ?? '').split('/').at(-1);
    const url = `ws://127.0.0.1:${port}/v2/live?token=${id}`;
    const result = { metadata: {}, transcription: { languages: [], utterances: [], full_transcript: '' } };
    response.writeHead(isNew ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isNew ? { id, url } : { id, status: 'done', result }));
  }

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    socketUrl: `ws://127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Acknowledges each message, and says what `SAID` says (gladia-live.md, 3.2, 3.4). */
function listenTo(socket: WebSocket): void {
  const id = { session_id: randomUUID(), created_at: new Date().toISOString() };
  let bytes = 0;
  let turns = 0;
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return socket.close(1000);
    const range = [bytes, (bytes += data.length)];
    const times = range.map((byte) => byte / BYTES_PER_SECOND);
    const acknowledged = { ...id, type: 'audio_chunk', acknowledged: true, error: null };
    socket.send(JSON.stringify({ ...acknowledged, data: { byte_range: range, time_range: times } }));
  });
  const timer = setInterval(() => {
    turns += 1;
    const number = Math.floor((turns - 1) / (SAID.partialsPerSecond * SAID.secondsPerFinal));
    const isFinal = turns % (SAID.partialsPerSecond * SAID.secondsPerFinal) === 0;
    const said = { sessionId: id.session_id, createdAt: id.created_at, channel: 0, number, isFinal };
    const start = number * SAID.secondsPerFinal;
    const end = bytes / BYTES_PER_SECOND;
    if (end > start) socket.send(transcriptMessage({ ...said, start, end }));
  }, 1_000 / SAID.partialsPerSecond);
  socket.on('error', () => undefined);
  socket.on('close', () => clearInterval(timer));
}
