/**
 * Every metric, once: what the relay counts, CloudWatch alarms on and Prometheus scrapes.
 * A metric has one declaration and two names, made from its key by `runtime/observability/`:
 * `audioReceived` (milliseconds, counter) is `AudioReceived` in CloudWatch and
 * `callscript_audio_received_seconds_total` in Prometheus.
 */
export const METRIC_NAMESPACE = 'Callscript';

export type MetricKind = 'counter' | 'gauge';
export type MetricUnit = 'count' | 'milliseconds' | 'bytes';

export interface MetricDeclaration {
  readonly kind: MetricKind;
  readonly unit: MetricUnit;
  readonly help: string;
  /** Values the one label may take: bounded, never a call. */
  readonly label?: string;
}

const counter = (help: string, unit: MetricUnit = 'count', label?: string): MetricDeclaration => ({
  kind: 'counter',
  unit,
  help,
  ...(label === undefined ? {} : { label }),
});
const gauge = (help: string, unit: MetricUnit = 'count', label?: string): MetricDeclaration => ({
  kind: 'gauge',
  unit,
  help,
  ...(label === undefined ? {} : { label }),
});

/** Why a call that came now would not be transcribed: values of the label of `unready`. Draining is none of them. */
export const UNREADY_REASONS = [
  'no-gladia-key',
  'no-twilio-token',
  'no-public-url',
  'store-unreachable',
] as const;

const metrics = {
  unready: gauge(
    'What keeps the relay from transcribing, by reason: 1 while it holds, 0 when not',
    'count',
    'reason',
  ),
  callsLive: gauge('Calls with a live leg'),
  legsStarted: counter('Media streams that sent their start message'),
  legsEnded: counter('Media streams that ended, by reason', 'count', 'reason'),
  callsFailed: counter('Legs whose transcription failed for good, by reason', 'count', 'reason'),
  requestsRefused: counter('Requests and upgrades refused, by reason', 'count', 'reason'),
  twilioMessagesIgnored: counter('Twilio messages counted and ignored, by reason', 'count', 'reason'),
  speechMessagesIgnored: counter(
    'Messages of the speech service counted and ignored, by reason',
    'count',
    'reason',
  ),
  audioReceived: counter('Audio received from Twilio, all tracks', 'milliseconds'),
  audioFilled: counter('Silence put where Twilio sent nothing, all tracks', 'milliseconds'),
  audioForwarded: counter('Audio sent to the speech service, all tracks, resends included', 'milliseconds'),
  audioResent: counter('Audio sent again after a reconnect, all tracks', 'milliseconds'),
  audioDropped: counter('Audio dropped because a backlog was full, all tracks', 'milliseconds'),
  audioLost: counter('Audio that is in no transcript, all tracks, by cause', 'milliseconds', 'cause'),
  backlog: gauge('Audio waiting for the speech service, all calls', 'bytes'),
  sessionsLive: gauge('Speech sessions open now'),
  sessionsOpened: counter('Speech sessions opened'),
  sessionsResumed: counter('Speech sessions resumed on a new socket'),
  sessionRequestsFailed: counter('Session requests that failed, by error', 'count', 'error'),
  sessionSocketsLost: counter('Speech sockets that closed before their session was over'),
  partials: counter('Partial transcripts'),
  segments: counter('Final transcripts'),
  segmentsRecovered: counter('Final transcripts found only in the final result'),
  segmentsRepeated: counter('Final transcripts that came twice'),
  storeWrites: counter('Items written'),
  storeRetries: counter('Write requests tried again'),
  storeFailures: counter('Writes given up'),
  storeQueue: gauge('Writes waiting'),
  sinkErrors: counter('Transcript events that a sink failed on'),
} as const satisfies Record<string, MetricDeclaration>;

export type MetricName = keyof typeof metrics;
export const METRICS: Readonly<Record<MetricName, MetricDeclaration>> = metrics;
