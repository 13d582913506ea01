import type { MessagesConfig } from './session-request';

/** The session's end of a socket. */
export interface OutboxConnection {
  send(text: string): void;
}

export interface OutboxOptions {
  readonly sessionId: string;
  readonly config: MessagesConfig;
  /** Whether messages made while no socket is there are sent on the next one. */
  readonly replays: () => boolean;
  /** Whether partials are kept in `messages`; acks never are. */
  readonly keepsPartials: boolean;
}

/** A message without the envelope that all have. */
export interface OutgoingMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Sends what the client's `messages_config` asked for, and keeps it as `result.messages` (gladia-live.md, 1.3 and 5). */
export class SessionOutbox {
  readonly #options: OutboxOptions;
  readonly #messages: string[] = [];
  #missed: string[] = [];
  #connection: OutboxConnection | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get messages(): readonly string[] {
    return this.#messages;
  }

  connect(connection: OutboxConnection): void {
    this.#connection = connection;
    const missed = this.#missed;
    this.#missed = [];
    for (const text of missed) connection.send(text);
  }

  disconnect(): void {
    this.#connection = undefined;
  }

  /** Acks are for the socket that the audio came on: never kept, never sent later. */
  acknowledge(message: OutgoingMessage): void {
    if (this.#options.config.receive_acknowledgments) this.#connection?.send(this.#toText(message));
  }

  /** Gives the message to the client if it asked for its kind. */
  emit(flag: keyof MessagesConfig, message: OutgoingMessage, keep = true): void {
    if (!this.#options.config[flag]) return;
    const text = this.#toText(message);
    if (keep) this.#messages.push(text);
    this.#deliver(text);
  }

  emitPartial(message: OutgoingMessage): void {
    this.emit('receive_partial_transcripts', message, this.#options.keepsPartials);
  }

  /** Sends a message again, without keeping it twice. */
  repeat(message: OutgoingMessage): void {
    this.#connection?.send(this.#toText(message));
  }

  #deliver(text: string): void {
    if (this.#connection !== undefined) this.#connection.send(text);
    else if (this.#options.replays()) this.#missed.push(text);
  }

  #toText(message: OutgoingMessage): string {
    return JSON.stringify({
      session_id: this.#options.sessionId,
      created_at: new Date().toISOString(),
      ...message,
    });
  }
}
