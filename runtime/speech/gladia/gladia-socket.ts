import type { ClientRequestArgs } from 'node:http';
import { WebSocket } from 'ws';
import type { Logger } from '../../observability/logger';
import type { Metrics } from '../../observability/metrics';
import { LentReads } from '../../wire/lent-reads';
import { readTextFrames, type TextTaker } from '../../wire/text-frames';
import type { AcknowledgedRange, SocketEnd, SpeechSocket, SpeechSocketListener } from '../speech-provider';
import { readAcknowledgment } from './acknowledgment-reader';
import { decisionForCloseCode, decisionForUpgradeStatus } from './gladia-close-codes';
import { parseGladiaMessage } from './gladia-messages';

export interface GladiaTiming {
  readonly connectTimeoutMs: number;
  /** Between pings; when neither a pong nor anything else came since the last one, the socket is lost. */
  readonly pingIntervalMs: number;
  /** A close that is not answered in this time is cut. */
  readonly closeTimeoutMs: number;
}

export interface GladiaSocketOptions extends GladiaTiming {
  readonly url: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The final transcript of a long call comes in one message (gladia-live.md, 3.6). */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** A drop that Gladia lets a client resume (gladia-live.md, 2.4, 2.5). */
const DROP_CODE = 4000;

/** One socket on a Gladia session: bytes out, messages in, one `closed`. */
export class GladiaSocket implements SpeechSocket, TextTaker {
  readonly #socket: WebSocket;
  readonly #listener: SpeechSocketListener;
  #isPongDue = false;
  /** Nobody listens any more. */
  #isLetGo = false;
  readonly #options: GladiaSocketOptions;
  #pingTimer: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #upgradeStatus: number | undefined;

  constructor(options: GladiaSocketOptions, listener: SpeechSocketListener) {
    this.#options = options;
    this.#listener = listener;
    const reads = new LentReads(new URL(options.url).protocol === 'wss:');
    this.#socket = new WebSocket(options.url, {
      // mu-law does not compress, and a compressor costs memory per socket (gladia-live.md, 2.1).
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: options.connectTimeoutMs,
      followRedirects: false,
      createConnection: (request: ClientRequestArgs) => reads.connect(request),
    });
    this.#socket.on('upgrade', (response) =>
      this.#socket.once('open', () => {
        reads.taker = readTextFrames(this.#socket, response.socket, {
          isMasked: false,
          maxMessageBytes: MAX_MESSAGE_BYTES,
          taker: this,
        });
      }),
    );
    this.#socket.on('open', () => this.#onOpen());
    this.#socket.on('message', (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('pong', () => (this.#isPongDue = false));
    this.#socket.on('unexpected-response', (request, response) => {
      this.#upgradeStatus = response.statusCode;
      // Ends the attempt: `ws` reports it as an error and then as a close.
      request.destroy();
      response.resume();
      this.#socket.terminate();
    });
    // Every error is followed by `close`, which decides; the message may hold the URL and with it the token.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', (code) => this.#onClose(code));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  sendAudio(bytes: Buffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  stop(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('{"type":"stop_recording"}');
  }

  close(how: 'end' | 'drop'): void {
    this.#isLetGo = true;
    if (this.#socket.readyState === WebSocket.CLOSED || this.#closeTimer !== undefined) return;
    this.#closeTimer = setTimeout(() => this.#socket.terminate(), this.#options.closeTimeoutMs);
    this.#socket.close(how === 'end' ? 1000 : DROP_CODE);
  }

  #onOpen(): void {
    this.#pingTimer = setInterval(() => this.#ping(), this.#options.pingIntervalMs);
    this.#deliver(() => this.#listener.opened());
  }

  #ping(): void {
    if (this.#isPongDue) {
      this.#socket.terminate();
      return;
    }
    this.#isPongDue = true;
    this.#socket.ping();
  }

  takeText(bytes: Buffer, from: number, to: number): boolean {
    this.#isPongDue = false;
    const range = readAcknowledgment(bytes, from, to);
    if (range === undefined) return false;
    this.#acknowledge(range);
    return true;
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#isPongDue = false;
    const message = isBinary
      ? ({ kind: 'ignored', reason: 'malformed' } as const)
      : parseGladiaMessage(data.toString('utf8'));
    if (message.kind === 'ignored') this.#options.metrics.count('speechMessagesIgnored', 1, message.reason);
    else if (message.kind === 'acknowledged') this.#acknowledge(message.range);
    else this.#deliver(() => this.#listener.heard(message.event));
  }

  /** The message boundary: whatever one message does, it is that message's fault alone. */
  #deliver(tell: () => void): void {
    if (this.#isLetGo) return;
    try {
      tell();
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** As `deliver`, and as often as audio: without a function made for each. */
  #acknowledge(range: AcknowledgedRange): void {
    if (this.#isLetGo) return;
    try {
      this.#listener.acknowledged(range);
    } catch (error) {
      this.#onFault(error);
    }
  }

  #onFault(error: unknown): void {
    this.#options.metrics.count('speechMessagesIgnored', 1, 'fault');
    this.#options.logger.error({ err: error }, 'A message of the speech service could not be handled');
  }

  #onClose(code: number): void {
    clearInterval(this.#pingTimer);
    clearTimeout(this.#closeTimer);
    const status = this.#upgradeStatus;
    const end: SocketEnd =
      status === undefined
        ? { decision: decisionForCloseCode(code), code }
        : { decision: decisionForUpgradeStatus(status), code: status };
    this.#deliver(() => this.#listener.closed(end));
  }
}
