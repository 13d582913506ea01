import { randomUUID } from 'node:crypto';
import { faultsOf, type CutKind, type GladiaFaults, type OddMessage, type SessionFaults } from './faults';
import { toSeconds, type TranscriptData } from './live-messages';
import { oddMessageText } from './odd-messages';
import type { ObservedSession } from './observed-session';
import { QuietTimer } from './quiet-timer';
import type { Recogniser } from './recogniser';
import { SessionAudio } from './session-audio';
import { SessionOutbox } from './session-outbox';
import type { SessionRequest } from './session-request';
import { toSessionResult } from './session-result';
import { NEXT_STATES, type JobStatus, type SessionEndReason, type SessionState } from './session-state';
import { SessionTranscripts } from './session-transcripts';

export type { ObservedSession };

/** The session's end of its socket. */
export interface SessionConnection {
  send(text: string): void;
  /** Close frame, after what was sent. */
  close(code: number, reason: string): void;
  /** Nothing that comes on this socket after it counts. */
  cut(how: CutKind): void;
  /** Neither reads nor writes any more, and does not close. */
  stall(): void;
}

export interface SessionLimits {
  /** Connected without audio for this long: closed with 4408. */
  readonly noAudioMs: number;
  /** Connected without any transcript for this long: cut with 4504, can be resumed. null: off. */
  readonly noTextMs: number | null;
  readonly lifetimeMs: number;
  readonly lifetimeCloseCode: number;
  /** From the end of a session to its job being `done`. */
  readonly processingMs: number;
}

export interface LiveSessionOptions {
  /** In order of creation, from 0. */
  readonly number: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly request: SessionRequest;
  readonly recogniser: Recogniser;
  readonly faults: GladiaFaults;
  readonly limits: SessionLimits;
  readonly keep: 'everything' | 'digest';
  readonly onChange: () => void;
}

/** One session, from its POST to its end (gladia-live.md, 2 and 9). */
export class LiveSession implements ObservedSession {
  readonly id = randomUUID();
  readonly token = randomUUID();
  readonly createdAt = new Date();
  completedAt: Date | undefined;
  postSessionMetadata: Readonly<Record<string, unknown>> = {};
  connections = 0;
  closeCodes: number[] = [];
  stopReceived = false;
  lostStops = 0;
  lateFrames = 0;
  oversizedMessages = 0;
  readonly #options: LiveSessionOptions;
  readonly #audio: SessionAudio;
  readonly #outbox: SessionOutbox;
  readonly #transcripts: SessionTranscripts;
  readonly #noAudio: QuietTimer;
  readonly #noText: QuietTimer | undefined;
  readonly #lifetime: NodeJS.Timeout;
  #processing: NodeJS.Timeout | undefined;
  #state: SessionState = 'created';
  #jobStatus: JobStatus = 'queued';
  #endReason: SessionEndReason | undefined;
  #connection: SessionConnection | undefined;
  #cutsMade = 0;
  #stalled = false;
  #oddSent = false;
  #transcriptionMs = 0;
  #disposed = false;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    const { limits } = options;
    this.#outbox = new SessionOutbox({
      sessionId: this.id,
      config: options.request.messages_config,
      replays: () => this.#faults.missedMessages === 'replayed',
      keepsPartials: options.keep === 'everything',
    });
    this.#transcripts = this.#createTranscripts();
    this.#audio = new SessionAudio({
      channels: this.channels,
      keep: options.keep,
      faults: () => this.#faults,
      onAccepted: (audio) => this.#transcripts.push(audio),
      sendAck: (message) => this.#outbox.acknowledge(message),
    });
    this.#noAudio = new QuietTimer(limits.noAudioMs, () =>
      this.#giveUp('no-audio', 4408, 'No audio received'),
    );
    this.#noText =
      limits.noTextMs === null
        ? undefined
        : new QuietTimer(limits.noTextMs, () => this.cut({ closeCode: 4504 }));
    this.#lifetime = setTimeout(
      () => this.#giveUp('lifetime', limits.lifetimeCloseCode, 'Maximum session duration reached'),
      limits.lifetimeMs,
    );
    this.#lifetime.unref();
  }

  get number(): number {
    return this.#options.number;
  }

  get body(): Readonly<Record<string, unknown>> {
    return this.#options.body;
  }

  get customMetadata(): Readonly<Record<string, unknown>> {
    return this.#options.request.custom_metadata ?? {};
  }

  get channels(): number {
    return this.#options.request.channels;
  }

  get state(): SessionState {
    return this.#state;
  }

  get endReason(): SessionEndReason | undefined {
    return this.#endReason;
  }

  get jobStatus(): JobStatus {
    return this.#jobStatus;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  get resumes(): number {
    return Math.max(0, this.connections - 1);
  }

  get receivedBytes(): number {
    return this.#audio.receivedBytes;
  }

  get acceptedBytes(): number {
    return this.#audio.accepted.length;
  }

  get acks(): number {
    return this.#audio.acks;
  }

  get ackedBytes(): number {
    return this.#audio.ackedBytes;
  }

  get acceptedSha256(): string {
    return this.#audio.accepted.sha256;
  }

  get finals(): readonly TranscriptData[] {
    return this.#transcripts.finals;
  }

  get messages(): readonly string[] {
    return this.#outbox.messages;
  }

  /** Seconds of audio. */
  get durationS(): number {
    return this.#audio.durationS;
  }

  accepted(): Buffer | undefined {
    return this.#audio.accepted.bytes();
  }

  cut(how: CutKind): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.detach(connection, typeof how === 'string' ? 1006 : how.closeCode);
    connection.cut(how);
  }

  inject(message: OddMessage): void {
    this.#connection?.send(oddMessageText(message));
  }

  /** A socket has come. The newest wins: what Gladia does with two on one token is UNKNOWN. */
  attach(connection: SessionConnection): void {
    this.cut('reset');
    this.connections += 1;
    const { closeOnOpen, duplicateFinals } = this.#faults;
    if (closeOnOpen !== null) {
      this.closeCodes.push(closeOnOpen);
      connection.close(closeOnOpen, 'Fault: close on open');
      this.#options.onChange();
      return;
    }
    this.#connection = connection;
    this.#audio.connect();
    this.#oddSent = false;
    this.#outbox.connect(connection);
    this.#startRecording();
    if (this.resumes > 0 && duplicateFinals) this.#repeatFinals();
    this.#noAudio.start();
    this.#noText?.start();
    this.#options.onChange();
  }

  /** A socket has gone. With 1000 from the client the session ends without delivery, else it can be resumed. */
  detach(connection: SessionConnection, closeCode: number, byClient = false): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.closeCodes.push(closeCode);
    this.#outbox.disconnect();
    this.#noAudio.stop();
    this.#noText?.stop();
    this.#audio.drop();
    if (byClient && closeCode === 1000) this.#finish('client-closed', 1000, '');
    this.#options.onChange();
  }

  takeAudio(audio: Buffer): void {
    if (this.#state !== 'recording') {
      this.#refuseAudio();
      return;
    }
    this.#noAudio.touch();
    this.#audio.receivedBytes += audio.length;
    const faults = this.#faults;
    const cut = this.#dueCut(faults);
    this.#audio.take(audio, cut?.ackLast ?? true);
    if (cut !== undefined) this.cut(cut.how);
    this.#disturb(faults);
    this.#options.onChange();
  }

  /** `stop_recording` has come. */
  takeStop(): void {
    if (this.#faults.loseStop) {
      this.lostStops += 1;
    } else if (this.#state === 'recording') {
      this.stopReceived = true;
      this.#audio.stop();
      this.#acknowledgeStop();
      this.#finish('stopped', 1000, '');
    } else this.#refuseStop();
    this.#options.onChange();
  }

  /** What the client sent could not be read. What Gladia does then is UNKNOWN. */
  takeUnreadable(problem: string): void {
    this.#outbox.emit('receive_errors', {
      type: 'error',
      data: { code: 'invalid_message', message: problem },
    });
  }

  /** As in `post_final_transcript` and in the job. */
  result(): Record<string, unknown> {
    return toSessionResult({
      durationS: this.durationS,
      channels: this.channels,
      transcriptionMs: this.#transcriptionMs,
      utterances: this.#transcripts.utterances,
      summary: this.#summary(),
    });
  }

  /** Frees everything, whatever the state. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#lifetime);
    clearTimeout(this.#processing);
    this.#noAudio.stop();
    this.#noText?.stop();
    this.cut('reset');
    this.#transcripts.close();
  }

  get #faults(): SessionFaults {
    return faultsOf(this.#options.faults, this);
  }

  #createTranscripts(): SessionTranscripts {
    return new SessionTranscripts({
      recogniser: this.#options.recogniser,
      session: { customMetadata: this.customMetadata, channels: this.channels },
      request: this.#options.request,
      outbox: this.#outbox,
      isMute: () => this.#faults.mute,
      onChange: () => {
        this.#noText?.touch();
        this.#options.onChange();
      },
      onFailed: (error) => this.#giveUp('recogniser-failed', 4500, error.message.slice(0, 100)),
    });
  }

  #startRecording(): void {
    if (this.#state !== 'created') return;
    this.#enter('recording');
    this.#outbox.emit('receive_lifecycle_events', { type: 'start_recording' });
  }

  #repeatFinals(): void {
    const lastByChannel = new Map(this.finals.map((final) => [final.utterance.channel, final]));
    for (const data of lastByChannel.values()) this.#outbox.repeat({ type: 'transcript', data });
  }

  #dueCut({ cuts }: SessionFaults): SessionFaults['cuts'][number] | undefined {
    const next = cuts[this.#cutsMade];
    if (next === undefined || this.receivedBytes < next.afterBytes) return undefined;
    this.#cutsMade += 1;
    return next;
  }

  #disturb({ stallAfterBytes, oddMessages }: SessionFaults): void {
    if (!this.#oddSent) for (const message of oddMessages) this.inject(message);
    this.#oddSent = true;
    if (stallAfterBytes === null || this.#stalled || this.receivedBytes < stallAfterBytes) return;
    this.#stalled = true;
    this.#connection?.stall();
  }

  #acknowledgeStop(): void {
    const durationMs = this.durationS * 1000;
    const leftMs = Math.max(0, durationMs - (this.#transcripts.unsettledFromMs ?? durationMs));
    const data = { recording_duration: this.durationS, recording_left_to_process: toSeconds(leftMs) };
    this.#outbox.acknowledge({ type: 'stop_recording', acknowledged: true, error: null, data });
  }

  #refuseAudio(): void {
    this.lateFrames += 1;
    this.#outbox.acknowledge({
      type: 'audio_chunk',
      acknowledged: false,
      error: ALREADY_STOPPED,
      data: null,
    });
    this.#options.onChange();
  }

  #refuseStop(): void {
    this.#outbox.acknowledge({
      type: 'stop_recording',
      acknowledged: false,
      error: ALREADY_STOPPED,
      data: {},
    });
  }

  /** The server ends the session on its own. */
  #giveUp(reason: SessionEndReason, closeCode: number, text: string): void {
    if (this.#state === 'ended' || this.#endReason !== undefined) return;
    this.cut({ closeCode, reason: text });
    this.#finish(reason, closeCode, text);
    this.#options.onChange();
  }

  #finish(reason: SessionEndReason, closeCode: number, text: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#enter('stopping');
    this.#jobStatus = 'processing';
    clearTimeout(this.#lifetime);
    this.#noAudio.stop();
    this.#noText?.stop();
    const startedAt = performance.now();
    void this.#transcripts.finish().then(() => {
      if (this.#disposed) return;
      this.#transcriptionMs = Math.round(performance.now() - startedAt);
      this.#sendResults();
      this.#end(closeCode, text);
    });
  }

  #sendResults(): void {
    const result = this.result();
    const recorded = { recording_duration: this.durationS };
    const summary = this.#summary();
    const post = 'receive_post_processing_events';
    this.#outbox.emit('receive_lifecycle_events', { type: 'end_recording', data: recorded });
    this.#outbox.emit(post, { type: 'post_transcript', data: result['transcription'] });
    if (summary !== undefined) {
      this.#outbox.emit(post, { type: 'post_summarization', error: null, data: { results: summary } });
    }
    this.#outbox.emit(post, { type: 'post_final_transcript', data: result });
    this.#outbox.emit('receive_lifecycle_events', { type: 'end_session' });
  }

  #end(closeCode: number, text: string): void {
    this.#enter('ended');
    this.#transcripts.close();
    const connection = this.#connection;
    if (connection !== undefined) {
      this.detach(connection, closeCode);
      connection.close(closeCode, text);
    }
    this.#processing = setTimeout(() => this.#complete(), this.#options.limits.processingMs);
    this.#options.onChange();
  }

  #complete(): void {
    this.completedAt = new Date();
    this.#jobStatus = this.#endReason === 'recogniser-failed' ? 'error' : 'done';
    this.#options.onChange();
  }

  /** undefined when none was asked for. */
  #summary(): string | undefined {
    if (!this.#options.request.post_processing.summarization) return undefined;
    const { customMetadata, channels } = this;
    return this.#options.recogniser.summaryOf({ customMetadata, channels }) ?? '';
  }

  #enter(next: SessionState): void {
    if (!NEXT_STATES[this.#state].includes(next))
      throw new Error(`a session cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }
}

const ALREADY_STOPPED = {
  status_code: 409,
  exception: 'ConflictError',
  message: 'Recording already stopped',
};
