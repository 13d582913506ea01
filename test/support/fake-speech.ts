import { Secret } from '../../runtime/model/secret';
import type {
  SessionGrant,
  SessionResult,
  SocketDecision,
  SpeechProvider,
  SpeechSocket,
  SpeechSocketListener,
  SpokenUtterance,
} from '../../runtime/speech/speech-provider';
import { SpeechError } from '../../runtime/speech/speech-provider';

/** One socket of a fake session, played by hand. */
export class FakeSocket implements SpeechSocket {
  readonly bufferedBytes = 0;
  readonly sent: Buffer[] = [];
  readonly grant: SessionGrant;
  isStopped = false;
  closedAs: 'end' | 'drop' | undefined;
  #acknowledgedBytes: number;

  /** Who hears of it, until it is closed. */
  readonly listener: SpeechSocketListener;

  constructor(grant: SessionGrant, listener: SpeechSocketListener, acknowledgedBytes: number) {
    this.grant = grant;
    const isHeard = (): boolean => this.closedAs === undefined;
    this.listener = {
      opened: () => isHeard() && listener.opened(),
      acknowledged: (range) => isHeard() && listener.acknowledged(range),
      heard: (event) => isHeard() && listener.heard(event),
      closed: (end) => isHeard() && listener.closed(end),
    };
    this.#acknowledgedBytes = acknowledgedBytes;
  }

  get sentBytes(): number {
    return this.sent.reduce((sum, { length }) => sum + length, 0);
  }

  sendAudio(bytes: Buffer): void {
    this.sent.push(Buffer.from(bytes));
  }

  stop(): void {
    this.isStopped = true;
  }

  close(how: 'end' | 'drop'): void {
    this.closedAs ??= how;
  }

  acknowledge(bytes: number): void {
    const fromByte = this.#acknowledgedBytes;
    this.#acknowledgedBytes += bytes;
    this.listener.acknowledged({ fromByte, toByte: fromByte + bytes });
  }

  final(utteranceId: string, startMs: number, endMs: number, channel = 0): void {
    const event = {
      type: 'transcript',
      isFinal: true,
      utteranceId,
      utterance: utterance(startMs, endMs, channel),
    } as const;
    this.listener.heard(event);
  }

  lose(decision: SocketDecision, code = 1006): void {
    this.listener.closed({ decision, code });
  }
}

export function utterance(startMs: number, endMs: number, channel = 0): SpokenUtterance {
  return {
    channel,
    text: `${channel}: ${startMs} to ${endMs}`,
    language: 'en',
    confidence: 1,
    startMs,
    endMs,
    words: [],
  };
}

/** A speech service whose every answer is given by the test. */
export class FakeSpeech implements SpeechProvider {
  readonly name = 'fake';
  readonly sockets: FakeSocket[] = [];
  /** Answers of the next `createSession`s: an error code, or nothing for a session. */
  readonly refusals: { code: string; retryable: boolean }[] = [];
  readonly results = new Map<string, SessionResult | SpeechError>();
  /** Holds back the answers to `createSession`. */
  gate: Promise<void> = Promise.resolve();
  sessions = 0;
  resultRequests = 0;
  #listeners: (() => void)[] = [];

  async createSession(): Promise<SessionGrant> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw new SpeechError('refused', refusal);
    this.sessions += 1;
    const sessionId = `session-${this.sessions}`;
    await this.gate;
    return { sessionId, url: new Secret('ws://secret') };
  }

  connect(grant: SessionGrant, listener: SpeechSocketListener): SpeechSocket {
    const socket = new FakeSocket(grant, listener, 0);
    this.sockets.push(socket);
    this.#listeners.splice(0).forEach((listen) => listen());
    return socket;
  }

  fetchResult(sessionId: string): Promise<SessionResult> {
    this.resultRequests += 1;
    const unknown = new SpeechError('unknown session', { code: 'http-404', retryable: false });
    const result = this.results.get(sessionId) ?? unknown;
    return result instanceof SpeechError ? Promise.reject(result) : Promise.resolve(result);
  }

  /** The n-th socket, from 0, now or later. */
  async socket(n: number): Promise<FakeSocket> {
    for (;;) {
      const socket = this.sockets[n];
      if (socket !== undefined) return socket;
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  /** The n-th socket, opened. */
  async open(n: number): Promise<FakeSocket> {
    const socket = await this.socket(n);
    socket.listener.opened();
    return socket;
  }
}
