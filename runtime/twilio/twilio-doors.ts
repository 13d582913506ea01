import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { STREAM_STATUS_PATH, VOICE_PATH } from '../contract/endpoints';
import type { Track } from '../model/audio';
import type { Metrics } from '../observability/metrics';
import { splitTarget, type HttpReply, type HttpRequest, type Route } from '../server/http-route';
import type { Admission } from '../server/upgrade-door';
import { routePaths, type DoorKind } from './public-url';
import type { StreamTickets } from './stream-tickets';
import { RateLimit } from './rate-limit';
import { parseStreamStatus, type StreamStatusEvent } from './stream-status';
import { twilioForm } from './twilio-form';
import { TwilioGate, type GateOptions } from './twilio-gate';
import { callParameters, voiceTwiml, type CallContinuation } from './voice-twiml';

export interface TwilioDoorsOptions extends GateOptions {
  /** The setting `MEDIA_PATH`. */
  readonly mediaPath: string;
  /** The setting `TRACKS`. */
  readonly tracks: readonly Track[];
  /** What a call does after `<Start>`; without it `/voice` says what is missing. */
  readonly next?: CallContinuation | undefined;
  readonly tickets: Pick<StreamTickets, 'issueFirst'>;
  /** The setting `MAX_HANDSHAKES_PER_SECOND`. */
  readonly handshakesPerSecond: number;
  /** This process has as many calls as it takes. */
  readonly isFull: () => boolean;
  readonly isDraining: () => boolean;
  readonly onStreamStatus: (event: StreamStatusEvent) => void;
}

/** What an admitted media socket carries on. */
export interface StreamGrant {
  /** The account whose streams are taken; undefined: any. */
  readonly accountSid: string | undefined;
}

export interface TwilioDoors {
  readonly voiceRoute: Route;
  readonly streamStatusRoute: Route;
  /** Paths and admission of the media upgrade. */
  readonly mediaPaths: readonly string[];
  mediaAdmission(request: IncomingMessage): Promise<Admission<StreamGrant>>;
}

const NOTHING_FOLLOWS =
  'The call would end here: set one of VOICE_TWIML, DIAL_NUMBER or VOICE_NEXT_URL to what follows <Start>.\n';
const VOICE_IS_OFF =
  'A call was refused at /voice: it is off until one of VOICE_TWIML, DIAL_NUMBER or VOICE_NEXT_URL says what follows <Start>';
const NO_ROOM = 'A stream was refused before its start: another task may take it';
const NO_PUBLIC_URL = 'Set PUBLIC_URL to the URL that Twilio reaches the relay at.\n';

/** The three doors that Twilio comes through. On each the signature is looked at first. */
export function twilioDoors(options: TwilioDoorsOptions): TwilioDoors {
  const gate = new TwilioGate(options);
  const { publicUrl, mediaPath, metrics } = options;
  const handshakes = new RateLimit(options.handshakesPerSecond, options.now ?? (() => performance.now()));
  const adviseOnVoice = boundedAdvice(options, VOICE_PATH);
  const adviseOnMedia = boundedAdvice(options, mediaPath);
  return {
    voiceRoute: webhook(gate, options, VOICE_PATH, (form, signature) => {
      if (options.next !== undefined) return voiceReply(options, options.next, { form, signature });
      adviseOnVoice('no-continuation', VOICE_IS_OFF);
      return refused(metrics, 503, 'no-continuation', NOTHING_FOLLOWS);
    }),
    streamStatusRoute: webhook(gate, options, STREAM_STATUS_PATH, (form) => {
      const event = parseStreamStatus(form);
      if (event === undefined) return refused(metrics, 400, 'bad-form');
      options.onStreamStatus(event);
      return { status: 204 };
    }),
    mediaPaths: routePaths(publicUrl, mediaPath),
    mediaAdmission: (request) =>
      admit({ gate, handshakes, request, advise: (reason) => adviseOnMedia(reason, NO_ROOM) }, options),
  };
}

function webhook(
  gate: TwilioGate,
  { publicUrl }: TwilioDoorsOptions,
  path: string,
  answer: (form: URLSearchParams, signature: string) => HttpReply | Promise<HttpReply>,
): Route {
  const kind: DoorKind = 'webhook';
  return {
    methods: ['POST'],
    paths: routePaths(publicUrl, path),
    async handle({ query, headers, body }: HttpRequest): Promise<HttpReply> {
      const form = twilioForm(body);
      const passage = await gate.check({ kind, path, query, headers, fields: form });
      if (!passage.passed) return { status: passage.status };
      // Without one, where none is asked for, each request is another one.
      return answer(form, String(headers['x-twilio-signature'] ?? randomBytes(16).toString('hex')));
    },
  };
}

/** Also when this task is full or draining: the call itself must go on, and another task may take its stream. */
async function voiceReply(
  options: TwilioDoorsOptions,
  next: CallContinuation,
  { form, signature }: { readonly form: URLSearchParams; readonly signature: string },
): Promise<HttpReply> {
  const { publicUrl, mediaPath, tracks, tickets, metrics } = options;
  if (publicUrl === undefined) return refused(metrics, 503, 'no-public-url', NO_PUBLIC_URL);
  const streamName = `callscript-${randomBytes(8).toString('hex')}`;
  const call = { callSid: form.get('CallSid') ?? '', accountSid: form.get('AccountSid') ?? '' };
  const parameters = { ...callParameters(form), ...(await tickets.issueFirst(call, signature)) };
  const body = voiceTwiml({ publicUrl, mediaPath, tracks, next, streamName, parameters });
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}

interface Handshake {
  readonly gate: TwilioGate;
  readonly handshakes: RateLimit;
  readonly request: IncomingMessage;
  readonly advise: (reason: string) => void;
}

/** Strangers fail at the signature, before they could use up what calls need. */
async function admit(
  { gate, handshakes, request: { url = '', headers }, advise }: Handshake,
  { mediaPath, isFull, isDraining, metrics }: TwilioDoorsOptions,
): Promise<Admission<StreamGrant>> {
  const { query } = splitTarget(url);
  const passage = await gate.check({ kind: 'stream', path: mediaPath, query, headers });
  if (!passage.passed) return { admitted: false, status: passage.status };
  const reason = isDraining()
    ? 'draining'
    : isFull()
      ? 'full'
      : handshakes.take()
        ? undefined
        : 'too-many-handshakes';
  if (reason === undefined) return { admitted: true, grant: { accountSid: passage.credentials?.accountSid } };
  metrics.count('requestsRefused', 1, reason);
  advise(reason);
  return { admitted: false, status: 503 };
}

function refused(metrics: Metrics, status: number, reason: string, body?: string): HttpReply {
  metrics.count('requestsRefused', 1, reason);
  return body === undefined ? { status } : { status, headers: { 'content-type': 'text/plain' }, body };
}

/** Refusals come in crowds: each reason is logged at most once in the interval. */
function boundedAdvice(
  { logger, adviceIntervalMs = 10_000, now = () => performance.now() }: GateOptions,
  path: string,
): (reason: string, advice: string) => void {
  const advisedAtMs = new Map<string, number>();
  return (reason, advice) => {
    if (now() - (advisedAtMs.get(reason) ?? -Infinity) < adviceIntervalMs) return;
    advisedAtMs.set(reason, now());
    logger.warn({ reason, path }, advice);
  };
}
