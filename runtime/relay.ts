import { randomBytes } from 'node:crypto';
import type { RelayConfig, Environment } from './config';
import { Calls } from './call/calls';
import { Continuity } from './continuity/continuity';
import type { ContinuityTiming } from './continuity/continuity-timing';
import { StreamStarter } from './continuity/stream-starter';
import { CallSession } from './call/call-session';
import type { Clock } from './model/clock';
import { Secret } from './model/secret';
import type { Logger } from './observability/logger';
import { startEmbeddedMetrics } from './observability/embedded-metrics';
import { Metrics } from './observability/metrics';
import { watchProcessVitals } from './observability/process-vitals';
import { Readiness, type UnreadyReason } from './readiness';
import { watchReadiness } from './readiness-watch';
import { adminRoutes } from './admin-routes';
import { Credentials, SECRET_TIMING, type SecretTiming } from './secrets';
import { healthRoute } from './server/health-route';
import { startHttpServer } from './server/relay-server';
import { createSinks } from './sinks';
import { tellSinks, type TranscriptSink } from './sinks/transcript-sink';
import type { TaskState } from './task-state';
import { BacklogBudget } from './speech/audio-backlog';
import { createGladiaProvider, GLADIA_TIMING, type GladiaTiming } from './speech/gladia/gladia-provider';
import { Recognition } from './speech/recognition';
import { tracedWebhook } from './traced-webhook';
import { CallTraces } from './tracing/call-traces';
import type * as Otlp from './tracing/otlp-exporter';
import { RECOGNITION_TIMING, type RecognitionTiming } from './speech/recognition-timing';
import { SessionSlots } from './speech/session-slots';
import type { SpeechProvider } from './speech/speech-provider';
import { hasAddOns } from './speech/gladia/gladia-session-options';
import { recoverSession } from './speech/orphaned-session';
import { CallReader } from './store/call-reader';
import { CallStore } from './store/call-store';
import { LeaseStore } from './store/lease-store';
import { TaskMail } from './store/task-mail';
import { TicketStore } from './store/ticket-store';
import { OwnTable } from './store/own-table';
import { createDocumentClient } from './store/dynamodb-client';
import { CallDirectory } from './twilio/call-directory';
import { StreamTickets } from './twilio/stream-tickets';
import { twilioDoors } from './twilio/twilio-doors';
import { TwilioMediaStream, type MediaStreamTiming } from './twilio/twilio-media-stream';
import { TwilioRest } from './twilio/twilio-rest';

/** How long things take. Every one is a setting of the code, so that a test passes 20 ms. */
export interface RelayTiming {
  readonly recognition: RecognitionTiming;
  /** Gladia's socket. */
  readonly gladia: GladiaTiming;
  /** Twilio's socket; what is left out has the default of `TwilioMediaStream`. */
  readonly mediaStream: Partial<MediaStreamTiming>;
  /** One track waits for the other. */
  readonly alignmentWindowMs: number;
  /** What piled up before a stream's first frame has come by then. 0 where callers speak faster than people do. */
  readonly beginningMs: number;
  /** Between looks at every leg: supplied silence, time-outs. */
  readonly tickMs: number;
  /** After a call's last leg, until the call is taken for over or Twilio is asked; then between questions. */
  readonly callEndGraceMs: number;
  readonly callEndPollMs: number;
  readonly metricsIntervalMs: number;
  /** Between looks at what keeps the relay from transcribing. */
  readonly readinessIntervalMs: number;
  readonly secrets: SecretTiming;
  /** Of the drain time: for writing out what is queued. */
  readonly flushTimeoutMs: number;
  /** Between tasks; what is left out has the default of `Continuity`. */
  readonly continuity: Partial<ContinuityTiming>;
}

export const RELAY_TIMING: RelayTiming = {
  recognition: RECOGNITION_TIMING,
  gladia: GLADIA_TIMING,
  mediaStream: {},
  alignmentWindowMs: 200,
  beginningMs: 3_000,
  tickMs: 250,
  callEndGraceMs: 5_000,
  callEndPollMs: 15_000,
  metricsIntervalMs: 60_000,
  readinessIntervalMs: 30_000,
  secrets: SECRET_TIMING,
  flushTimeoutMs: 15_000,
  continuity: {},
};

/** Of the time for live calls, the part in which they are handed over; the rest is for their last words. */
const HAND_OVER_SHARE = 0.6;

export interface RelayDeps {
  readonly logger: Logger;
  /** More sinks beside the table's, such as the console's. */
  readonly sinks?: readonly TranscriptSink[];
  /** Address of the Twilio routes. Default: every one, IPv4. */
  readonly host?: string;
  /** Where AWS credentials may be; without any, a local store gets made-up ones. */
  readonly environment?: Environment;
  readonly timing?: Partial<RelayTiming>;
  /** Measures durations: never goes back. */
  readonly now?: Clock;
  /** Tells the time of day: may be set. */
  readonly wallNow?: Clock;
  readonly random?: () => number;
  /** Takes the embedded-metric lines. Default: they are not written. */
  readonly writeMetrics?: (line: string) => void;
  /** Where somebody stops this process for reasons of theirs, and can be asked before they do. */
  readonly taskState?: TaskState;
}

export interface Relay {
  readonly port: number;
  readonly adminPort: number;
  readonly metrics: Metrics;
  /** Why a call that came now would not be transcribed; nothing when it would. */
  unreadyReasons(): Promise<readonly UnreadyReason[]>;
  /** Takes no new call, finishes the live ones within the drain time, writes everything out, closes. Safe to call twice. */
  drain(): Promise<void>;
}

/**
 * The relay, the same on Fargate, on a laptop and in the tests. The stations of a word, in order: the media socket
 * (`twilio/`), its leg (`call/`), the recognition of its audio (`speech/`), and every sink (`sinks/`).
 */
export async function startRelay(config: RelayConfig, deps: RelayDeps): Promise<Relay> {
  const { logger, now = () => performance.now(), wallNow = Date.now, random = Math.random } = deps;
  const timing: RelayTiming = { ...RELAY_TIMING, ...deps.timing };
  const metrics = new Metrics();
  const { twilio, gladia, store, ticket, limits } = config;

  const hasSharedTicketKey = ticket.keys.length > 0 || ticket.secretArn !== undefined;
  const credentials = new Credentials({
    twilio,
    gladia,
    ticket: hasSharedTicketKey ? ticket : { keys: [newTicketKey()] },
    region: store.region,
    logger,
    timing: timing.secrets,
  });
  const client = createDocumentClient({
    region: store.region,
    ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
    environment: deps.environment ?? {},
  });
  // A store of one's own may have no table yet; in AWS the table is infrastructure.
  const ownTable =
    store.endpoint === undefined ? undefined : new OwnTable({ client, tableName: store.table, logger });
  await ownTable?.tried;
  const tableAccess = { client, tableName: store.table, wallNow };
  const callStore = new CallStore({ ...tableAccess, retentionDays: store.retentionDays });
  const traces = config.otlpTracesUrl === undefined ? undefined : openTraces(config.otlpTracesUrl, wallNow);
  const tickets = new StreamTickets({
    policy: ticket.policy,
    keys: {
      keys: () => credentials.ticketKeys(),
      refresh: () => credentials.refreshTicketKeys(),
      areShared: hasSharedTicketKey,
    },
    records: new TicketStore({ ...tableAccess, retentionDays: store.retentionDays }),
    wallNow,
    logger,
    metrics,
  });
  if (ticket.policy !== 'off' && !hasSharedTicketKey)
    logger.info(
      'TICKET_KEY is not set: stream tickets hold in this process only. Several relays need the same',
    );
  const sinks: readonly TranscriptSink[] = [
    ...createSinks({
      client,
      store,
      metrics,
      logger,
      now,
      wallNow,
      expectsAddOns: hasAddOns(gladia.sessionOptions),
      onStored: traces?.stored.bind(traces),
    }),
    ...(traces === undefined ? [] : [traces]),
    ...(deps.sinks ?? []),
  ];

  const rest = new TwilioRest({ apiUrl: twilio.apiUrl, credentials: () => credentials.twilio() });
  const directory = new CallDirectory({ rest: twilio.isRestAllowed ? rest : undefined, logger });
  const calls = new Calls({
    sinks,
    origins: callStore,
    isCallOver: (callSid, accountSid) => directory.isOver(callSid, accountSid),
    storedLegs: (callSid) =>
      callStore.readLegs(callSid).catch((err: unknown) => {
        logger.warn({ err, callSid }, 'The legs of a call could not be read');
        return undefined;
      }),
    isHeardElsewhere: (callSid) => continuity.isHeardElsewhere(callSid),
    limits,
    onLimit: (leg, reason) => void continuity.endLeg(leg, reason),
    callEndGraceMs: timing.callEndGraceMs,
    callEndPollMs: timing.callEndPollMs,
    wallNow,
    logger,
    metrics,
  });

  const provider: SpeechProvider = createGladiaProvider({
    ...gladia,
    credentials,
    ...timing.gladia,
    logger,
    metrics,
  });
  const budget = new BacklogBudget(config.backlogProcessBytes);
  const slots = new SessionSlots(gladia.maxSessions);

  const continuity: Continuity = new Continuity({
    leases: new LeaseStore(tableAccess),
    mail: new TaskMail(tableAccess),
    reader: new CallReader({ client, tableName: store.table }),
    calls,
    starter:
      twilio.isRestAllowed && config.publicUrl !== undefined
        ? new StreamStarter({ rest, tickets, publicUrl: config.publicUrl, mediaPath: config.mediaPath })
        : undefined,
    isCallOver: (callSid, accountSid) => directory.isOver(callSid, accountSid),
    recoverSession: (session, signal) =>
      recoverSession(provider, {
        session,
        signal,
        timing: timing.recognition,
        now,
        random,
        logger: logger.child({ streamSid: session.streamSid }),
      }),
    tell: (event) => tellSinks({ sinks, metrics, logger }, event),
    tracks: config.tracks,
    isFlushed: (callSid) => sinks.every((sink) => sink.isFlushed?.(callSid) !== false),
    isReconciled: (leg) => sinks.every((sink) => sink.isReconciled?.(leg) !== false),
    timing: timing.continuity,
    now,
    wallNow,
    random,
    logger,
    metrics,
  });

  /** A leg: its socket gives events, its session turns them into transcripts. */
  const newSession = (askedAtMs: number): CallSession =>
    new CallSession({
      sinks,
      recognise: (request, listener, legLogger) =>
        new Recognition(
          {
            provider,
            request,
            chunkMs: config.audioChunkMs,
            backlogCallMs: config.backlogCallMs,
            catchUpFactor: config.catchUpFactor,
            budget,
            slots,
            timing: timing.recognition,
            onResumed: traces === undefined ? undefined : (lostForMs) => traces.resumed(request, lostForMs),
            now,
            random,
            logger: legLogger,
            metrics,
          },
          listener,
        ),
      onStarted(start) {
        traces?.handshake(start, askedAtMs);
        calls.onLegStarted(start);
        continuity.legStarted(start);
      },
      onFirstAudio: (start, atMs) => continuity.firstAudio(start, atMs),
      onFinishing(start, reason, firstAudioAt) {
        traces?.finishing(start);
        continuity.legFinishing(start, reason, firstAudioAt);
      },
      claimOrigin: (callSid, legOriginAtMs, otherwiseMs) =>
        calls.claimOrigin(callSid, legOriginAtMs, otherwiseMs),
      moveOrigin: (callSid, originAtMs) => calls.moveOrigin(callSid, originAtMs),
      describeCall: (callSid, accountSid) => directory.describe(callSid, accountSid),
      alignmentWindowMs: timing.alignmentWindowMs,
      beginningMs: timing.beginningMs,
      now,
      wallNow,
      logger,
      metrics,
    });

  let isDraining = false;
  const readiness = new Readiness({ credentials, config, store: callStore, isDraining: () => isDraining });
  const doors = twilioDoors({
    publicUrl: config.publicUrl,
    allowUnsigned: twilio.allowUnsignedStreams,
    credentials: () => credentials.twilio(),
    refreshCredentials: () => credentials.refreshTwilio(),
    mediaPath: config.mediaPath,
    tracks: config.tracks,
    next: twilio.next,
    tickets,
    handshakesPerSecond: limits.handshakesPerSecond,
    isFull: () => calls.streamingLegs >= config.maxCalls,
    isDraining: () => isDraining,
    onStreamStatus(event) {
      const { callSid, streamSid, streamEvent } = event;
      logger.info({ callSid, streamSid, streamEvent }, 'Twilio told of a stream');
      continuity.onStreamStatus(event);
    },
    logger,
    metrics,
  });
  const server = await startHttpServer({
    host: deps.host ?? '0.0.0.0',
    port: config.httpPort,
    portSetting: 'HTTP_PORT',
    routes: [
      traces === undefined ? doors.voiceRoute : tracedWebhook(doors.voiceRoute, traces, wallNow),
      doors.streamStatusRoute,
      healthRoute,
    ],
    maxConnections: limits.connections,
    maxHeaderBytes: limits.headerBytes,
    maxBodyBytes: limits.bodyBytes,
    maxMessageBytes: limits.messageBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    upgrade: {
      paths: doors.mediaPaths,
      admit: (request) => doors.mediaAdmission(request),
      onSocket: (socket, _request, { accountSid }) => {
        const session = newSession(wallNow());
        const stream = new TwilioMediaStream({
          socket,
          listener: session,
          accountSid,
          tracks: config.tracks,
          refuse: ({ accountSid: of, callSid, streamSid }) => {
            if (calls.hasHad(streamSid)) return 'known-stream';
            const { callsPerAccount } = limits;
            const isFull = Number.isFinite(callsPerAccount) && calls.callsOf(of, callSid) >= callsPerAccount;
            return isFull ? 'account-full' : undefined;
          },
          ...(ticket.policy === 'off' ? {} : { checkTicket: tickets.check.bind(tickets) }),
          logger,
          metrics,
          startTimeoutMs: limits.startTimeoutMs,
          ...timing.mediaStream,
        });
        calls.add({ session, stream });
        void session.ended.then(() => continuity.legEnded(session.start));
        return stream;
      },
    },
    logger,
    metrics,
  });
  const admin = await startHttpServer({
    host: '127.0.0.1',
    port: config.adminPort,
    portSetting: 'ADMIN_PORT',
    routes: adminRoutes(readiness, metrics),
    logger,
    metrics,
  }).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });

  // After the sockets were read: frames that are there already must not look like silence.
  const ticker = setInterval(() => setImmediate(() => calls.tick()), timing.tickMs);
  const gauges = setInterval(() => {
    const { waitingMs, unacknowledgedMs } = calls.outstanding;
    metrics.gauge('backlog', waitingMs);
    metrics.gauge('unacknowledged', unacknowledgedMs);
    metrics.gauge('audioHeld', budget.heldBytes);
    metrics.gauge('sessionsLive', slots.taken);
    metrics.gauge('sessionsWaiting', slots.waiting);
  }, timing.tickMs);
  const readinessWatch = watchReadiness({
    readiness,
    intervalMs: timing.readinessIntervalMs,
    metrics,
    logger,
  });
  const vitals = watchProcessVitals({ metrics });
  const embedded = startEmbeddedMetrics({
    metrics,
    writeLine: deps.writeMetrics ?? (() => undefined),
    intervalMs: timing.metricsIntervalMs,
  });

  const flushTimeoutMs = Math.min(timing.flushTimeoutMs, config.drainTimeoutMs / 4);
  const liveTimeoutMs = config.drainTimeoutMs - flushTimeoutMs;
  const handOverMs = liveTimeoutMs * HAND_OVER_SHARE;
  let handedOver: Promise<void> | undefined;
  const handOver = (): Promise<void> => {
    isDraining = true;
    return (handedOver ??= continuity.handOver(handOverMs));
  };
  deps.taskState?.onStopping(() => {
    logger.info({ legs: calls.liveLegs }, 'This task will be stopped: live calls are handed over');
    void handOver();
  });

  let drained: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    const beganAtMs = now();
    isDraining = true;
    readinessWatch.close();
    logger.info({ legs: calls.liveLegs }, 'Draining');
    deps.taskState?.close();
    await handOver();
    // Since ECS told of the end a stream may have begun whose socket was there before.
    const leftMs = handOverMs - (now() - beganAtMs);
    if (leftMs > 0) await continuity.handOver(leftMs);
    await calls.drain(liveTimeoutMs - (now() - beganAtMs));
    clearInterval(ticker);
    clearInterval(gauges);
    vitals.close();
    // What the others write last has spans, too.
    const writing = sinks.filter((sink) => sink !== traces);
    const left = await Promise.all(writing.map((sink) => sink.close(flushTimeoutMs)));
    await continuity.close();
    await Promise.all([server.close(), admin.close(), traces?.close()]);
    ownTable?.close();
    embedded.close();
    client.destroy();
    logger.info({ unwritten: left.reduce((sum, count) => sum + count, 0) }, 'Drained');
  };
  return {
    port: server.port,
    adminPort: admin.port,
    metrics,
    unreadyReasons: () => readiness.unreadyReasons(),
    drain: () => (drained ??= drain()),
  };
}

/** For a relay that is alone. */
function newTicketKey(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

/** A file of its own in the bundle, too (`bin/bundle.ts`): a relay without traces does not read it. */
function openTraces(url: string, wallNow: Clock): CallTraces {
  const { createOtlpExporter } = require('./tracing/otlp-exporter') as typeof Otlp;
  return new CallTraces({ exporter: createOtlpExporter({ url }), wallNow });
}
