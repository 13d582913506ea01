import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { CutKind } from './faults';
import type { LiveSession, SessionConnection } from './live-session';

/** Joins an open WebSocket to its session until one of them ends. */
export function serveSocket(ws: WebSocket, socket: Socket, session: LiveSession): void {
  const connection = createConnection(ws, socket);
  ws.on('message', (data: RawData, isBinary: boolean) => {
    if (connection.isCut()) return;
    const message = toBuffer(data);
    if (isBinary) session.takeAudio(message);
    else takeText(message.toString('utf8'), session);
  });
  ws.on('error', (error) => {
    // ws itself answers a message over 1 MiB with close 1009.
    if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') session.oversizedMessages += 1;
  });
  ws.on('close', (code) => session.detach(connection, code, true));
  session.attach(connection);
}

interface CuttableConnection extends SessionConnection {
  isCut(): boolean;
}

function createConnection(ws: WebSocket, socket: Socket): CuttableConnection {
  let cut = false;
  let stalled = false;
  return {
    isCut: () => cut,
    send: (text) => {
      if (!cut && !stalled && ws.readyState === ws.OPEN) ws.send(text);
    },
    close: (code, reason) => {
      cut = true;
      ws.close(code, reason);
    },
    cut: (how) => {
      cut = true;
      cutSocket(ws, socket, how);
    },
    stall: () => {
      stalled = true;
      socket.pause();
    },
  };
}

function cutSocket(ws: WebSocket, socket: Socket, how: CutKind): void {
  if (how === 'reset') socket.resetAndDestroy();
  else if (how === 'fin') socket.end();
  else ws.close(how.closeCode, how.reason ?? '');
}

function takeText(text: string, session: LiveSession): void {
  const message = parseObject(text);
  if (message === undefined) session.takeUnreadable('the message is not a JSON object');
  else if (message['type'] === 'stop_recording') session.takeStop();
  else if (message['type'] === 'audio_chunk') takeAudioChunk(message['data'], session);
  else session.takeUnreadable('the message type is not known; audio_chunk and stop_recording are');
}

function takeAudioChunk(data: unknown, session: LiveSession): void {
  const chunk = isRecord(data) ? data['chunk'] : undefined;
  if (typeof chunk !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(chunk)) {
    session.takeUnreadable('audio_chunk needs data.chunk in base64');
  } else session.takeAudio(Buffer.from(chunk, 'base64'));
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
