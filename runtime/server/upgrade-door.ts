import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Logger } from '../observability/logger';
import { readTextFrames, type TextTaker } from '../wire/text-frames';

/** May this request become a WebSocket? A grant goes on to `onSocket` as it is; a refusal is an HTTP answer. */
export type Admission<Grant> =
  { readonly admitted: true; readonly grant: Grant } | { readonly admitted: false; readonly status: number };

export interface UpgradeDoor<Grant> {
  readonly paths: readonly string[];
  /** Counts its own refusals. What it throws is answered 500 and logged. */
  admit(request: IncomingMessage): Admission<Grant> | Promise<Admission<Grant>>;
  /**
   * Takes the open socket over, at once: messages may be there already. From here on the taker owns it.
   * @returns who reads messages that come most by their bytes, if anybody does
   */
  onSocket(socket: WebSocket, request: IncomingMessage, grant: Grant): TextTaker | undefined;
}

export interface UpgradeLimits {
  /** A larger message closes its socket with 1009. */
  readonly maxMessageBytes: number;
  /** Longest wait for a peer to finish a closing handshake. */
  readonly closeTimeoutMs: number;
}

/** Of our answers to pings. A peer that pings and reads nothing would fill the memory with them, and is cut. */
const MOST_UNREAD_BYTES = 64 * 1024;

/** Lets admitted sockets through one upgrade door. No compression: audio does not compress, and Twilio does not ask (2.1). */
export class UpgradeGuard<Grant> {
  readonly #door: UpgradeDoor<Grant>;
  readonly #logger: Logger;
  readonly #webSockets: WebSocketServer;
  readonly #maxMessageBytes: number;

  constructor(door: UpgradeDoor<Grant>, limits: UpgradeLimits, logger: Logger) {
    this.#door = door;
    this.#logger = logger;
    this.#maxMessageBytes = limits.maxMessageBytes;
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: limits.maxMessageBytes,
      closeTimeout: limits.closeTimeoutMs,
      // A subprotocol in the answer would be news to Twilio, which offers none (twilio-media-streams.md, 2.1).
      handleProtocols: () => false as const,
    };
    this.#webSockets = new WebSocketServer(options);
  }

  /** Never rejects. */
  async pass(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const admission = await this.#door.admit(request);
      if (!admission.admitted) return refuseUpgrade(socket, admission.status);
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const taker = this.#handOver(webSocket, request, admission.grant);
        const maxMessageBytes = this.#maxMessageBytes;
        readTextFrames(webSocket, socket, { isMasked: true, maxMessageBytes, taker });
      });
    } catch (error) {
      this.#logger.error({ err: error }, 'An upgrade request could not be processed');
      refuseUpgrade(socket, 500);
    }
  }

  #handOver(webSocket: WebSocket, request: IncomingMessage, grant: Grant): TextTaker | undefined {
    // Whatever its owner does: an error of one socket must not become an uncaught exception.
    webSocket.on('error', (error) => this.#logger.debug({ err: error }, 'WebSocket error'));
    webSocket.on('ping', (data: Buffer) => this.#answerPing(webSocket, data));
    try {
      return this.#door.onSocket(webSocket, request, grant);
    } catch (error) {
      this.#logger.error({ err: error }, 'A WebSocket could not be taken');
      webSocket.terminate();
      return undefined;
    }
  }

  #answerPing(webSocket: WebSocket, data: Buffer): void {
    if (webSocket.bufferedAmount <= MOST_UNREAD_BYTES) {
      if (webSocket.readyState === webSocket.OPEN) webSocket.pong(data);
      return;
    }
    this.#logger.warn('A peer pings and does not read: its socket is cut');
    webSocket.terminate();
  }
}

/** A whole HTTP answer, so that the client sees a status and no cut connection. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
