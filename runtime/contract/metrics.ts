/**
 * Every metric, once: what the relay counts, CloudWatch alarms on and Prometheus scrapes.
 * A metric has one declaration and two names, made from its key: `audioReceived` (milliseconds, counter) is
 * `AudioReceived` in CloudWatch and `callscript_audio_received_seconds_total` in Prometheus.
 */
export const METRIC_NAMESPACE = 'Callscript';

export type MetricKind = 'counter' | 'gauge' | 'distribution';
export type MetricUnit = 'count' | 'milliseconds' | 'bytes';

export interface MetricDeclaration<Kind extends MetricKind = MetricKind> {
  readonly kind: Kind;
  readonly unit: MetricUnit;
  readonly help: string;
  /** The one label: its values are bounded, never a call. */
  readonly label?: string;
}

function declare<Kind extends MetricKind>(
  kind: Kind,
): (help: string, unit?: MetricUnit, label?: string) => MetricDeclaration<Kind> {
  return (help, unit = 'count', label) => ({ kind, unit, help, ...(label === undefined ? {} : { label }) });
}

const counter = declare('counter');
const gauge = declare('gauge');
const distribution = declare('distribution');

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
  callsStarted: counter('Calls that began here, or came from another task'),
  callsEnded: counter('Calls that were ended here, by reason', 'count', 'reason'),
  legsStarted: counter('Media streams that sent their start message'),
  legsEnded: counter('Media streams that ended, by reason', 'count', 'reason'),
  legsUntranscribed: counter('Legs with more than ten seconds of audio on a track and not one segment'),
  callsFailed: counter('Legs whose transcription failed for good, by reason', 'count', 'reason'),
  requestsSigned: counter('Requests and upgrades whose signature fits'),
  requestsRefused: counter('Requests and upgrades refused, by reason', 'count', 'reason'),
  ticketFaults: counter(
    'Stream tickets that could not be issued, noted or checked, so that their stream is taken as it is, by fault',
    'count',
    'fault',
  ),
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
  audioLate: counter(
    'Audio that the speech service took more than five seconds after its receipt, all tracks, told when its leg ends',
    'milliseconds',
  ),
  audioLost: counter('Audio that is in no transcript, all tracks, by cause', 'milliseconds', 'cause'),
  backlog: gauge('Audio received and never sent to the speech service, all calls and tracks', 'milliseconds'),
  unacknowledged: gauge(
    'Audio sent to the speech service and not acknowledged yet, all calls and tracks',
    'milliseconds',
  ),
  audioHeld: gauge('Memory for audio that may have to be sent, again, all calls', 'bytes'),
  sessionsLive: gauge('Speech sessions open now'),
  sessionsWaiting: gauge('Legs that wait for a speech session to become free'),
  sessionsOpened: counter('Speech sessions opened'),
  sessionsResumed: counter('Speech sessions resumed on a new socket'),
  sessionsRecycled: counter(
    'Speech sessions given up for a new one although they could be reached, by reason',
    'count',
    'reason',
  ),
  sessionRequestsFailed: counter('Session requests that failed, by error', 'count', 'error'),
  sessionSocketsLost: counter('Speech sockets that closed before their session was over'),
  partials: counter('Partial transcripts'),
  segments: counter('Final transcripts'),
  partialLatency: distribution(
    'From the receipt of the last audio that a partial is about to the partial',
    'milliseconds',
  ),
  finalLatency: distribution(
    'From the receipt of the last audio that a final is about to the final',
    'milliseconds',
  ),
  relayLatency: distribution(
    'From the receipt of audio to its sending, of each message to the speech service; longer while that is away',
    'milliseconds',
  ),
  speechLatency: distribution(
    'From the sending of the last audio that a final is about to the final',
    'milliseconds',
  ),
  storeLatency: distribution('From a final to its item in the table', 'milliseconds'),
  firstPartial: distribution("From a leg's first audio to its first partial", 'milliseconds'),
  firstFinal: distribution("From a leg's first audio to its first final", 'milliseconds'),
  segmentsRecovered: counter('Final transcripts found only in the final result'),
  segmentsRepeated: counter('Final transcripts that came twice'),
  leaseFailures: counter(
    'Stretches as long as a lease in which this task could not renew its own, look for dead ones, or be told of legs',
  ),
  legsTakenOver: counter('Legs of dead tasks that this one closed the books of'),
  streamsReattached: counter('Streams made for calls that had lost theirs, by sign of loss', 'count', 'sign'),
  reattachmentsFailed: counter('Calls that lost their stream and got no new one, by error', 'count', 'error'),
  callsHandedOver: counter('Live calls given to another task'),
  handOversFailed: counter('Attempts to hand a call over that failed'),
  storeWrites: counter('Items written'),
  storeRetries: counter('Write requests tried again'),
  storeFailures: counter('Writes given up'),
  storeQueue: gauge('Writes waiting'),
  sinkErrors: counter('Transcript events that a sink failed on'),
  eventLoopDelay: distribution(
    'The longest that anything in the process had to wait for its turn, of every second',
    'milliseconds',
  ),
  residentMemory: gauge('Memory of the process', 'bytes'),
  heapUsed: gauge('Memory of JavaScript objects', 'bytes'),
} as const satisfies Record<string, MetricDeclaration>;

export type MetricName = keyof typeof metrics;
type NameOf<Kind extends MetricKind> = {
  [Name in MetricName]: (typeof metrics)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type DistributionName = NameOf<'distribution'>;
export const METRICS: Readonly<Record<MetricName, MetricDeclaration>> = metrics;

/** Values of a counter's label that are added up: only some, or all but some. Without either, all. */
export interface MetricPart {
  readonly metric: CounterName;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

export interface MetricSum {
  readonly help: string;
  readonly of: readonly MetricPart[];
}

/** Refusals that any stranger on the internet causes, or that are about a process that is going, or about a status callback. */
const NO_CALLS_LOST = [
  'bad-form',
  'not-found',
  'bad-request',
  'header-too-large',
  'body-too-large',
  'too-slow',
  'pipelined',
  'draining',
];
const UNSIGNED = ['no-signature'];
const WRONGLY_SIGNED = ['bad-signature'];

const sums = {
  callsRefused: {
    help: 'Requests of Twilio that were refused, so that a call goes without its transcript',
    of: [{ metric: 'requestsRefused', except: [...NO_CALLS_LOST, ...UNSIGNED, ...WRONGLY_SIGNED] }],
  },
  signaturesRefused: {
    help: 'Requests refused because their signature does not fit: a wrong auth token or public URL, or a forger',
    of: [{ metric: 'requestsRefused', only: WRONGLY_SIGNED }],
  },
  signaturesChecked: {
    help: 'Requests with a signature, whether it fits or not',
    of: [{ metric: 'requestsSigned' }, { metric: 'requestsRefused', only: WRONGLY_SIGNED }],
  },
  unsignedRefused: {
    help: 'Requests refused because they have no signature: a stranger, or a proxy that takes it off',
    of: [{ metric: 'requestsRefused', only: UNSIGNED }],
  },
  speechErrors: {
    help: 'Session requests that the speech service failed on, its limit of sessions aside',
    of: [{ metric: 'sessionRequestsFailed', except: ['http-429', 'no-key'] }],
  },
  speechLimited: {
    help: 'Session requests refused because the account has no session left (429)',
    of: [{ metric: 'sessionRequestsFailed', only: ['http-429'] }],
  },
  faults: {
    help: 'Faults of the relay itself: nobody else can have caused them',
    of: [
      { metric: 'callsFailed', only: ['fault'] },
      { metric: 'requestsRefused', only: ['failed'] },
      { metric: 'twilioMessagesIgnored', only: ['listener-failed'] },
      { metric: 'speechMessagesIgnored', only: ['fault'] },
      { metric: 'sinkErrors' },
    ],
  },
} as const satisfies Record<string, MetricSum>;

/**
 * Counters added up for alarms: each is one number, in CloudWatch only, and always there. An alarm on label values
 * would look at series that do not exist before something went wrong for the first time.
 */
export type SumName = keyof typeof sums;
export const METRIC_SUMS: Readonly<Record<SumName, MetricSum>> = sums;

/** `audioReceived` is `AudioReceived`. */
export function cloudWatchName(name: MetricName | SumName): string {
  return capitalised(name);
}

/** The CloudWatch dimension of a label: `reason` is `Reason`. */
export function cloudWatchDimension(label: string): string {
  return capitalised(label);
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
