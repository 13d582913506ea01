import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../runtime/config';
import { VOICE_PATH } from '../runtime/contract/endpoints';
import type { Track } from '../runtime/model/audio';
import { CallReader } from '../runtime/store/call-reader';
import { createDocumentClient } from '../runtime/store/dynamodb-client';
import type { StoredCall } from '../runtime/store/stored-call';
import { startBalancer, type Balancer } from './balancer/balancer';
import { startEcs, type LocalEcs } from './ecs/local-ecs';
import { LOCAL_REGION, LOCAL_TABLE, startEmbeddedDynamoDb } from './embedded-dynamodb';
import { Facts, type WaitOptions } from './facts';
import type { AudioAccount } from './fleet/audio-account';
import { accountForCall } from './fleet/call-account';
import { DRAIN_TIMING, playDrain, type DrainOrder, type DrainTiming } from './fleet/drain-order';
import { FleetRelay } from './fleet/fleet-relay';
import { FLEET_GLADIA_KEY, FLEET_REST_KEY, FLEET_URL, relayEnvironment } from './fleet/relay-environment';
import { RelayProcess, type ExitReason } from './fleet/relay-process';
import { relayProgram } from './fleet/relay-program';
import { startGladiaServer, type GladiaServer, type GladiaServerOptions } from './gladia/gladia-server';
import { startStoreFaults, type StoreFaults } from './store-faults/store-faults';
import { startTwilio, type LocalTwilio } from './twilio/local-twilio';
import type { RestRules } from './twilio/rest-rules';
import type { Call, CallOptions } from './twilio/twilio-caller';

export interface FleetOptions {
  /** Relays at the start. */
  readonly size: number;
  readonly gladia: GladiaServerOptions;
  /** Settings of every relay over those of the fleet. */
  readonly settings?: Environment;
  /** Of calls that bring none of their own. Leases and time-outs keep real time. */
  readonly paceFactor?: number;
  readonly restRules?: Partial<RestRules>;
  readonly drain?: Partial<DrainTiming>;
  /** Of the store's faults. */
  readonly seed?: number;
  /** What Node runs for a relay. Default: the bundle when it is new, else the sources. */
  readonly program?: readonly string[];
}

/** Relays as processes of their own behind one balancer, with the outside world replaced. */
export interface Fleet {
  /** Every relay so far; those that have ended stay. */
  readonly relays: readonly FleetRelay[];
  readonly balancer: Balancer;
  readonly twilio: LocalTwilio;
  readonly gladia: GladiaServer;
  /** What stands between the relays and their table. */
  readonly store: StoreFaults;
  readonly ecs: LocalEcs;
  /** `wss://`, for streams without webhook. */
  readonly mediaUrl: string;
  /** A call comes in: through `/voice`, unless the options bring a stream of their own. */
  call(options?: CallOptions): Call;
  /** One more relay, registered when it listens. */
  start(): Promise<FleetRelay>;
  /**
   * SIGKILL. What comes between the kill and the end of the process, such as status callbacks, meets the dead relay,
   * unless the balancer has been told before. Resolves when the process is gone.
   */
  kill(index: number, options?: { readonly isBalancerTold?: boolean }): Promise<void>;
  /** SIGTERM, and nothing else. */
  terminate(index: number): Promise<ExitReason>;
  /** A deployment: a new relay is up, then this one goes. Resolves when it has ended. */
  replace(
    index: number,
    order: DrainOrder,
  ): Promise<{ readonly exit: ExitReason; readonly successor: FleetRelay }>;
  /** As `replace`, without a successor. */
  remove(index: number, order: DrainOrder): Promise<ExitReason>;
  /** The relays that have a stream of the call now, that of the newest stream first. */
  ownersOf(call: Call): readonly FleetRelay[];
  /**
   * Resolves with the first value of `fact` that is something; asked now and after every log line, end of a process,
   * event of a call, and whatever happens at Gladia.
   */
  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T>;
  /** What became of a call's audio, counted from outside. Ask when the call is over and its sessions have ended. */
  audioOf(call: Call): Readonly<Partial<Record<Track, AudioAccount>>>;
  /** What the table has of a call, past the faults. */
  read(callSid: string): Promise<StoredCall | undefined>;
  /**
   * What the table has of a call once it is completed there and all its sessions are reconciled.
   * Rejects after the time-out, default 30 s.
   */
  completed(call: Call, options?: WaitOptions): Promise<StoredCall>;
  /** Kills what runs and closes the rest. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts it, with all relays up and registered. @throws what the first of them that does not start throws; the others are closed */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new LocalFleet(options);
  try {
    await fleet.open();
    return fleet;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

interface Parts {
  readonly balancer: Balancer;
  readonly twilio: LocalTwilio;
  readonly gladia: GladiaServer;
  readonly store: StoreFaults;
  readonly ecs: LocalEcs;
  readonly reader: CallReader;
  readonly directory: string;
}

class LocalFleet implements Fleet {
  readonly relays: FleetRelay[] = [];
  readonly mediaUrl = `${FLEET_URL.replace('https', 'wss')}/media`;
  readonly #options: FleetOptions;
  readonly #facts = new Facts();
  readonly #processes = new Set<RelayProcess>();
  readonly #closers: (() => unknown)[] = [];
  #parts: Parts | undefined;
  #started = 0;
  #closed: Promise<void> | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get balancer(): Balancer {
    return this.#open.balancer;
  }

  get twilio(): LocalTwilio {
    return this.#open.twilio;
  }

  get gladia(): GladiaServer {
    return this.#open.gladia;
  }

  get store(): StoreFaults {
    return this.#open.store;
  }

  get ecs(): LocalEcs {
    return this.#open.ecs;
  }

  get #open(): Parts {
    if (this.#parts === undefined) throw new Error('the fleet is not open');
    return this.#parts;
  }

  async open(): Promise<void> {
    const { size, seed = 1, paceFactor = 1, restRules = {} } = this.#options;
    const directory = await mkdtemp(join(tmpdir(), 'callscript-fleet-'));
    this.#closers.push(() => rm(directory, { recursive: true, force: true }));
    const table = await this.#keep(startEmbeddedDynamoDb());
    // A connection that nobody used for a while may be closed just when it is used again.
    const client = createDocumentClient({ region: LOCAL_REGION, endpoint: table.endpoint, attempts: 3 });
    this.#closers.push(() => client.destroy());
    const balancer = await this.#keep(startBalancer());
    const gladia = await this.#keep(
      startGladiaServer({ apiKeys: [FLEET_GLADIA_KEY], ...this.#options.gladia }),
    );
    gladia.onChange(() => this.#facts.changed());
    this.#parts = {
      directory,
      balancer,
      gladia,
      reader: new CallReader({ client, tableName: LOCAL_TABLE }),
      store: await this.#keep(startStoreFaults({ target: table.endpoint, seed })),
      ecs: await this.#keep(startEcs()),
      twilio: await this.#keep(
        startTwilio({
          authToken: randomBytes(16).toString('hex'),
          apiKey: FLEET_REST_KEY,
          dial: { host: '127.0.0.1', port: balancer.port },
          paceFactor,
          restRules,
        }),
      ),
    };
    await Promise.all(Array.from({ length: size }, () => this.start()));
  }

  call(options: CallOptions = {}): Call {
    return this.twilio.call({
      ...(options.stream === undefined ? { voiceUrl: FLEET_URL + VOICE_PATH } : {}),
      ...options,
      onChange: () => {
        options.onChange?.();
        this.#facts.changed();
      },
    });
  }

  async start(): Promise<FleetRelay> {
    const task = this.ecs.addTask();
    const process = new RelayProcess({
      program: this.#options.program ?? relayProgram(),
      environment: relayEnvironment({ ...this.#open, settings: this.#options.settings ?? {} }, task),
      directory: this.#open.directory,
      onChange: () => this.#facts.changed(),
    });
    this.#processes.add(process);
    const ports = await this.#portsOf(process);
    const relay = new FleetRelay({ index: this.#started++, task, ports, process });
    this.relays[relay.index] = relay;
    this.balancer.register(relay.port);
    void process.exited.then(() => {
      this.#processes.delete(process);
      Object.assign(task, { desiredStatus: 'STOPPED', lastStatus: 'STOPPED' });
      this.balancer.deregister(relay.port, { cutSockets: false });
    });
    return relay;
  }

  async kill(index: number, { isBalancerTold = false } = {}): Promise<void> {
    const relay = this.#relay(index);
    if (isBalancerTold) this.balancer.deregister(relay.port, { cutSockets: false });
    relay.signal('SIGKILL');
    await relay.exited;
  }

  terminate(index: number): Promise<ExitReason> {
    const relay = this.#relay(index);
    relay.signal('SIGTERM');
    return relay.exited;
  }

  async replace(
    index: number,
    order: DrainOrder,
  ): Promise<{ readonly exit: ExitReason; readonly successor: FleetRelay }> {
    const successor = await this.start();
    return { exit: await this.remove(index, order), successor };
  }

  async remove(index: number, order: DrainOrder): Promise<ExitReason> {
    const relay = this.#relay(index);
    const timing = { ...DRAIN_TIMING, ...this.#options.drain };
    await playDrain(relay, { order, balancer: this.balancer, timing });
    return relay.exited;
  }

  ownersOf({ streams }: Call): readonly FleetRelay[] {
    const open = streams.filter(({ state }) => state === 'open').toReversed();
    return open.flatMap(({ localPort = 0 }) => {
      const port = this.balancer.backendOf(localPort);
      return this.relays.filter((relay) => relay.port === port);
    });
  }

  waitFor<T>(fact: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#facts.waitFor(fact, options);
  }

  audioOf(call: Call): Readonly<Partial<Record<Track, AudioAccount>>> {
    return accountForCall(call, this.gladia.sessions);
  }

  read(callSid: string): Promise<StoredCall | undefined> {
    return this.#open.reader.readCall(callSid);
  }

  async completed({ callSid }: Call, options: WaitOptions = {}): Promise<StoredCall> {
    const { timeoutMs = 30_000, what = 'a call to be completed in the table' } = options;
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const { passed } = this.store.counts;
      const stored = await this.read(callSid);
      if (stored !== undefined && isCompleted(stored)) return stored;
      // Whoever completes it writes through the faults.
      const hasWritten = (): boolean => this.store.counts.passed > passed;
      await this.store.waitFor(hasWritten, { timeoutMs: Math.max(0, untilMs - performance.now()), what });
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const left = [...this.#processes];
    for (const process of left) process.signal('SIGKILL');
    await Promise.all(left.map(({ exited }) => exited));
    for (const close of this.#closers.toReversed()) await close();
  }

  async #keep<Part extends { close(): Promise<unknown> }>(starting: Promise<Part>): Promise<Part> {
    const part = await starting;
    this.#closers.push(() => part.close());
    return part;
  }

  async #portsOf(process: RelayProcess): Promise<{ port: number; adminPort: number }> {
    const line = await this.waitFor(
      () => {
        if (process.exit === undefined) return process.logged('Relay started');
        throw new Error(`a relay ended with ${process.exit} before it listened: ${process.stderr}`);
      },
      { timeoutMs: 30_000, what: 'a relay to listen' },
    );
    return { port: Number(line['port']), adminPort: Number(line['adminPort']) };
  }

  #relay(index: number): FleetRelay {
    const relay = this.relays[index];
    if (relay === undefined)
      throw new RangeError(`there is no relay ${index}; there are ${this.relays.length}`);
    return relay;
  }
}

function isCompleted({ call, sessions }: StoredCall): boolean {
  return call.status === 'completed' && sessions.every(({ reconciled }) => reconciled);
}
