import type { Track } from '../../runtime/model/audio';
import type { StoredCall } from '../../runtime/store/stored-call';
import { alarmsOff } from '../alarms/alarms-off';
import type { WaitOptions } from '../facts';
import { startFleet, type Fleet, type FleetOptions } from '../fleet';
import type { SessionFaults } from '../gladia/faults';
import type { GladiaServerOptions } from '../gladia/gladia-server';
import type { ObservedSession } from '../gladia/observed-session';
import { createScriptedRecogniser } from '../gladia/scripted-recogniser';
import type { Behaviour } from '../twilio/behaviour';
import type { Call, CallOptions } from '../twilio/twilio-caller';
import { seededRandom } from '../store-faults/seeded-random';
import { auditCall, type AllowedLoss } from './audit-call';
import type { CallFacts } from './call-facts';
import { finalsOf } from './final-facts';
import { spokenCall, type SpokenCall } from './spoken-audio';

export interface TrialOptions {
  /** The same seed gives the same audio, faults and moments; how processes and sockets interleave is up to the machine. */
  readonly seed: number;
  /** What Node runs for a relay. */
  readonly program: readonly string[];
}

export interface WorldOptions extends Partial<Omit<FleetOptions, 'gladia'>> {
  readonly gladia?: Partial<GladiaServerOptions>;
}

export interface FinishOptions extends AllowedLoss {
  /** How long all calls may take to be completed in the table once they are over. Default 40 s. */
  readonly withinMs?: number;
  /** Of one call, over those of all. */
  readonly of?: (call: Call) => AllowedLoss | undefined;
}

/** Alarms on the relay's metrics that a fault sets off, by id: these, and no others. */
export interface ExpectedAlarms {
  /** Default: none. */
  readonly alarms?: readonly string[];
  /** It depends on chance, or on how fast the machine is, whether these go off. */
  readonly perhapsAlarms?: readonly string[];
}

/** What a scenario came to, in numbers. */
export interface TrialTotals {
  readonly calls: number;
  readonly sentMs: number;
  readonly lostMs: Readonly<Record<string, number>>;
  readonly doubledSegments: number;
  /** Of all tracks: audio whose session never said in the end that it has it. */
  readonly unconfirmedMs: number;
  /** The longest time from a fault to the audio that is taken again. */
  readonly recoveryMs: number | undefined;
}

interface PlacedCall {
  readonly call: Call;
  readonly spoken: SpokenCall;
  readonly placedAt: number;
}

/** Utterances end after 300 ms of quiet. */
const SESSION_OPTIONS = '{"language_config":{"languages":["en"]},"endpointing":0.3}';
const DEFAULT_CALL_MS = 8_000;
/** From a call's beginning until it is heard, with nothing broken: what takes longer is the machine's. */
const HEARD_WITHIN_MS = 1_500;

/** One run of a scenario: the world it plays in, the calls that were placed, and what was promised and did not hold. */
export class Trial {
  readonly seed: number;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** What Node runs for a relay. */
  readonly program: readonly string[];
  readonly #placed: PlacedCall[] = [];
  readonly #heard = new Set<PlacedCall>();
  readonly #broken: string[] = [];
  readonly #notes: string[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #expectedExits = new Map<number, unknown>();
  #fleet: Fleet | undefined;
  #recoveryMs: number | undefined;
  #busyMs = 0;
  #sentMs = 0;
  #doubledSegments = 0;
  #unconfirmedMs = 0;
  readonly #lostMs: Record<string, number> = {};
  readonly #wronged: CallFacts[] = [];

  constructor({ seed, program }: TrialOptions) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.program = program;
  }

  /** Promises that did not hold, each in one sentence. */
  get broken(): readonly string[] {
    return this.#broken;
  }

  /** What was measured beside that, a line each. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  get totals(): TrialTotals {
    return {
      calls: this.#placed.length,
      sentMs: this.#sentMs,
      lostMs: this.#lostMs,
      doubledSegments: this.#doubledSegments,
      unconfirmedMs: this.#unconfirmedMs,
      recoveryMs: this.#recoveryMs,
    };
  }

  get fleet(): Fleet {
    if (this.#fleet === undefined) throw new Error('the scenario has started no fleet');
    return this.#fleet;
  }

  /** Starts the world; relays understand loudness as speech. */
  async start({ gladia, settings, ...options }: WorldOptions = {}): Promise<Fleet> {
    this.#fleet = await startFleet({
      size: 1,
      seed: this.seed,
      program: this.program,
      ...options,
      settings: { GLADIA_SESSION_OPTIONS: SESSION_OPTIONS, ...settings },
      gladia: {
        recogniser: createScriptedRecogniser(),
        limits: { processingMs: 50 },
        ...gladia,
      },
    });
    return this.#fleet;
  }

  /** Closed with the world, in the reverse order. */
  keep<Part extends { close(): Promise<unknown> }>(part: Part): Part {
    this.#closers.push(() => part.close());
    return part;
  }

  /** A call comes in whose both sides speak. @param options over those drawn for it; `ms` is how long it takes */
  call({ ms = DEFAULT_CALL_MS, behaviour, ...options }: CallOptions & { readonly ms?: number } = {}): Call {
    const spoken = spokenCall(ms, this.random);
    const drawn: Partial<Behaviour> = {
      burstFrames: this.whole(5, 11),
      firstTimestampMs: this.whole(0, 200),
      ...behaviour,
    };
    const call = this.fleet.call({ audio: spoken.audio, behaviour: drawn, ...options });
    this.#placed.push({ call, spoken, placedAt: performance.now() });
    return call;
  }

  calls(count: number, options: CallOptions & { readonly ms?: number } = {}): readonly Call[] {
    return Array.from({ length: count }, () => this.call(options));
  }

  /** Calls come in ten at a time, each of them heard before the next ten come. */
  async heardCalls(count: number, options: CallOptions & { readonly ms?: number }): Promise<readonly Call[]> {
    const calls: Call[] = [];
    while (calls.length < count) {
      const next = this.calls(Math.min(10, count - calls.length), options);
      await Promise.all(next.map((call) => this.heard(call)));
      calls.push(...next);
    }
    return calls;
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  oneOf<T>(values: readonly [T, ...T[]]): T {
    return values[Math.floor(this.random() * values.length)] ?? values[0];
  }

  /** Whatever does not hold breaks the scenario, which goes on. */
  promise(holds: boolean, otherwise: string): void {
    if (!holds) this.#broken.push(otherwise);
  }

  /** A measured value, for whoever reads the table. */
  note(line: string): void {
    this.#notes.push(line);
  }

  /**
   * Milliseconds from a fault to the first audio after it; the longest is told, and has to be within `atMostMs`, or what
   * a busy machine adds to that.
   */
  recovered(ms: number, atMostMs = Infinity): void {
    this.#recoveryMs = Math.max(this.#recoveryMs ?? 0, ms);
    this.promise(
      ms <= atMostMs + this.#busyMs,
      `recovered after ${Math.round(ms)} ms, promised are ${atMostMs} ms`,
    );
  }

  /** Resolves when a session of the call's stream has taken audio. */
  async heard(call: Call, streamIndex = 0, options: WaitOptions = {}): Promise<void> {
    const isHeard = (): boolean =>
      this.fleet.gladia.sessions.some(
        ({ customMetadata, acceptedBytes }) =>
          customMetadata['streamSid'] === call.streams[streamIndex]?.streamSid && acceptedBytes > 0,
      );
    await this.fleet.waitFor(isHeard, {
      timeoutMs: 60_000,
      what: `stream ${streamIndex + 1} of a call to be heard`,
      ...options,
    });
    if (streamIndex === 0) this.#noteBusy(call);
  }

  /** The way to the first audio is the same as after a fault: what the machine adds to the one it adds to the other. */
  #noteBusy(call: Call): void {
    const placed = this.#placed.find((each) => each.call === call);
    if (placed === undefined || this.#heard.has(placed)) return;
    this.#heard.add(placed);
    this.#busyMs = Math.max(this.#busyMs, performance.now() - placed.placedAt - HEARD_WITHIN_MS);
  }

  /** Resolves when a call's audio has come so far. */
  async reached(call: Call, ms: number): Promise<void> {
    const timeoutMs = 30_000;
    const isThere = (): boolean => call.positionMs >= ms || call.status === 'completed';
    // Every ack of Gladia asks again.
    await this.fleet.waitFor(isThere, { timeoutMs, what: `a call to reach ${ms} ms` });
  }

  /** For every session of the call, over the faults of all. */
  gladiaFaults({ callSid }: Call, faults: Partial<SessionFaults>): void {
    this.fleet.gladia.faults.rules.push({
      when: ({ customMetadata }) => customMetadata['callSid'] === callSid,
      faults,
    });
  }

  /** Sessions of the call, in order of creation. */
  sessionsOf({ callSid }: Call): readonly ObservedSession[] {
    return this.fleet.gladia.sessions.filter(({ customMetadata }) => customMetadata['callSid'] === callSid);
  }

  /** What the table has of a call. @throws when it has nothing */
  async stored({ callSid }: Call): Promise<StoredCall> {
    const stored = await this.fleet.read(callSid);
    if (stored === undefined) throw new Error(`call ${callSid} is not in the table`);
    return stored;
  }

  /** This relay has to end like this, instead of with 0. */
  endsWith(index: number, reason: unknown): void {
    this.#expectedExits.set(index, reason);
  }

  /** Waits until everything is over, ends the relays, and holds the table against what was said and heard. */
  async finish({ withinMs = 40_000, of, ...allowed }: FinishOptions = {}): Promise<void> {
    const { fleet } = this;
    await Promise.all(this.#placed.map(({ call }) => within(call.over, 60_000, 'a call to be over')));
    await this.#allCompleted(withinMs);
    await this.#attempt(() =>
      fleet.waitFor(() => fleet.gladia.sessions.every(isOver), {
        timeoutMs: 10_000,
        what: 'all Gladia sessions to be over',
      }),
    );
    await this.endRelays();
    if (this.#busyMs > 0)
      this.note(`the machine is busy: times may be longer by ${Math.round(this.#busyMs)} ms`);
    for (const placed of this.#placed) await this.#audit(placed, this.#widened(of?.(placed.call) ?? allowed));
  }

  /** What the relays have emitted in the whole run, taken for one minute, sets off the expected alarms and no other. */
  promiseAlarms({ alarms = [], perhapsAlarms = [] }: ExpectedAlarms): void {
    const off = alarmsOff({ lines: this.fleet.relays.flatMap(({ lines }) => lines) });
    const missing = alarms.filter((id) => !off.includes(id));
    const foreign = off.filter((id) => !alarms.includes(id) && !perhapsAlarms.includes(id));
    this.promise(missing.length === 0, `no alarm went off where one should have: ${missing.join(', ')}`);
    this.promise(
      foreign.length === 0,
      `an alarm went off that the fault is not about: ${foreign.join(', ')}`,
    );
  }

  /** SIGTERM to those that run; every relay so far has to have ended as expected, and without a crash. */
  async endRelays(): Promise<void> {
    const { relays } = this.fleet;
    for (const relay of relays) if (relay.isRunning) relay.signal('SIGTERM');
    for (const { index, exited, ...relay } of relays.map((each) => ({
      index: each.index,
      exited: each.exited,
      stderr: () => each.stderr,
    }))) {
      const expected = this.#expectedExits.get(index) ?? 0;
      await this.#attempt(async () => {
        const exit = await within(exited, 30_000, `relay ${index} to end after SIGTERM`);
        this.promise(exit === expected, `relay ${index} ended with ${exit} instead of ${String(expected)}`);
      });
      this.promise(relay.stderr() === '', `relay ${index} wrote to stderr: ${relay.stderr().slice(0, 500)}`);
    }
  }

  async close(): Promise<void> {
    await this.#fleet?.close();
    for (const close of this.#closers.toReversed()) await close();
  }

  /** What there is to look at when a promise is broken: what the relays logged, and all about the calls it was broken to. */
  get evidence(): Readonly<Record<string, string>> {
    const logs = (this.#fleet?.relays ?? []).map(({ index, lines, stderr }) => [
      `relay-${index}.log`,
      [...lines.map((line) => JSON.stringify(line)), stderr].join('\n'),
    ]);
    const calls = this.#wronged.map((facts) => [`${facts.callSid}.json`, JSON.stringify(facts, null, 1)]);
    return Object.fromEntries([...logs, ...calls]) as Record<string, string>;
  }

  #widened(allowed: AllowedLoss): AllowedLoss {
    return allowed.lostMs === undefined ? allowed : { ...allowed, lostMs: allowed.lostMs + this.#busyMs };
  }

  async #allCompleted(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    for (const { call } of this.#placed) {
      const timeoutMs = Math.max(1, untilMs - performance.now());
      const what = `call ${call.callSid} to be completed and reconciled in the table`;
      await this.#attempt(() => this.fleet.completed(call, { timeoutMs, what }));
    }
  }

  async #audit({ call, spoken }: PlacedCall, allowed: AllowedLoss): Promise<void> {
    const stored = await this.fleet.read(call.callSid);
    this.promise(stored !== undefined, `call ${call.callSid} is not in the table`);
    if (stored === undefined) return;
    const facts = this.#factsOf(call, spoken, stored);
    const { broken, sentMs, lostMs, doubledSegments, unconfirmedMs } = auditCall(facts, allowed);
    if (broken.length > 0) this.#wronged.push(facts);
    for (const promise of broken) this.promise(false, `call ${call.callSid}: ${promise}`);
    this.#sentMs += sentMs;
    this.#doubledSegments += doubledSegments;
    this.#unconfirmedMs += unconfirmedMs;
    for (const [cause, ms] of Object.entries(lostMs)) this.#lostMs[cause] = (this.#lostMs[cause] ?? 0) + ms;
  }

  #factsOf(call: Call, { speech, audio }: SpokenCall, stored: CallFacts['stored']): CallFacts {
    const streams = call.streams.map(({ streamSid, startMs, request, sent, end }) => ({
      ...{ streamSid, startMs },
      isOrderly: end === 'stopped' || end === 'stopped by request',
      sent: Object.fromEntries(request.tracks.map((track: Track) => [track, sent.ranges(track)])),
    }));
    const finals = call.streams.flatMap(({ streamSid, request: { tracks } }) =>
      this.fleet.gladia.sessions
        .filter(({ customMetadata }) => customMetadata['streamSid'] === streamSid)
        .flatMap((session) => finalsOf(session, { tracks, audio })),
    );
    return {
      ...{ callSid: call.callSid, endMs: call.positionMs, streams, speech, finals, stored },
      counted: this.fleet.audioOf(call),
    };
  }

  async #attempt(what: () => Promise<unknown>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.promise(false, error instanceof Error ? error.message : String(error));
    }
  }
}

/** Or nobody was ever told of it. */
function isOver({ jobStatus, connections }: ObservedSession): boolean {
  return connections === 0 || (jobStatus !== 'queued' && jobStatus !== 'processing');
}

async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
