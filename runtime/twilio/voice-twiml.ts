import type { Track } from '../model/audio';
import { STREAM_STATUS_PATH } from '../contract/endpoints';
import { streamUrl, webhookUrl } from './public-url';

/** What a call does after its stream was started: `VOICE_TWIML`, `DIAL_NUMBER` or `VOICE_NEXT_URL`. */
export type CallContinuation =
  | { readonly kind: 'verbs'; readonly xml: string }
  | { readonly kind: 'dial'; readonly number: string }
  | { readonly kind: 'redirect'; readonly url: string };

export interface StreamTarget {
  /** The setting `PUBLIC_URL`. */
  readonly publicUrl: string;
  /** The setting `MEDIA_PATH`. */
  readonly mediaPath: string;
  /** The setting `TRACKS`. */
  readonly tracks: readonly Track[];
}

export interface VoiceTwimlOptions extends StreamTarget {
  /** Unique per attempt: whether Twilio lets a call use a name twice is UNKNOWN (twilio-media-streams.md, 1.3). */
  readonly streamName: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly next: CallContinuation;
}

/** Name and value together must stay below this (1.5); what Twilio does above it is UNKNOWN. */
export const PARAMETER_LIMIT = 500;
/** Twilio's names of these in the form of the voice webhook (6), and ours in the stream. */
const FORM_PARAMETERS = [
  ['From', 'from'],
  ['To', 'to'],
  ['Direction', 'direction'],
] as const;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** The answer of `/voice`: start the stream, then go on with the call, which would end if nothing followed (1.1). */
export function voiceTwiml(options: VoiceTwimlOptions): string {
  const stream = streamElement(options, { name: options.streamName }, options.parameters);
  return response(stream + continuation(options.next), '');
}

/** The same for people to paste into a TwiML Bin, where Twilio fills in `{{From}}`. Without `next` it says what is missing. */
export function twimlBinText(target: StreamTarget, next?: CallContinuation): string {
  const parameters = Object.fromEntries(FORM_PARAMETERS.map(([theirs, ours]) => [ours, `{{${theirs}}}`]));
  const verbs =
    next === undefined
      ? '<!-- Here goes what the call does, such as <Dial>+15005550006</Dial>. Without a verb the call ends. -->'
      : continuation(next);
  return response(`${streamElement(target, {}, parameters)}\n  ${verbs}`, '\n');
}

/**
 * What a call does without us, for the number's "primary handler fails": the relay may be down, the caller is not cut
 * off. Not transcribed then.
 */
export function fallbackTwiml(next: CallContinuation): string {
  return response(continuation(next), '');
}

/** What the webhook's form says of the call, as stream parameters; what it does not say is left out. */
export function callParameters(form: URLSearchParams): Readonly<Record<string, string>> {
  const entries = FORM_PARAMETERS.map(([theirs, ours]) => [ours, form.get(theirs) ?? ''] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

/** Twilio's name for a choice of tracks (1.3). */
export function twilioTrack(tracks: readonly Track[]): 'both_tracks' | 'inbound_track' | 'outbound_track' {
  if (tracks.length > 1) return 'both_tracks';
  return tracks[0] === 'outbound' ? 'outbound_track' : 'inbound_track';
}

function response(body: string, newline: string): string {
  const indent = newline === '' ? '' : '  ';
  return `<?xml version="1.0" encoding="UTF-8"?>${newline}<Response>${newline}${indent}${body}${newline}</Response>`;
}

function streamElement(
  { publicUrl, mediaPath, tracks }: StreamTarget,
  naming: { readonly name?: string },
  parameters: Readonly<Record<string, string>>,
): string {
  const attributes = {
    ...naming,
    url: streamUrl(publicUrl, mediaPath),
    track: twilioTrack(tracks),
    statusCallback: webhookUrl(publicUrl, STREAM_STATUS_PATH),
  };
  const children = Object.entries(parameters)
    .filter(([name, value]) => name.length + value.length < PARAMETER_LIMIT)
    .map(([name, value]) => `<Parameter${attributeText({ name, value })}/>`);
  return `<Start><Stream${attributeText(attributes)}>${children.join('')}</Stream></Start>`;
}

function continuation(next: CallContinuation): string {
  switch (next.kind) {
    case 'verbs':
      return next.xml;
    case 'dial':
      return `<Dial>${escapeXml(next.number)}</Dial>`;
    case 'redirect':
      return `<Redirect>${escapeXml(next.url)}</Redirect>`;
  }
}

function attributeText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}

/** Also leaves out what XML cannot hold at all: controls, lone surrogates. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '')
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
