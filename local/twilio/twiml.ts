import type { Track } from '../../runtime/model/audio';
import { TwilioError } from './twilio-error';
import { parseXml, type XmlElement } from './xml';

/** A media stream as TwiML (or REST) asks for it. */
export interface StreamRequest {
  readonly url: string;
  readonly tracks: readonly Track[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly statusCallback?: string;
  readonly statusCallbackMethod?: 'GET' | 'POST';
}

export interface Twiml {
  /** The first <Start><Stream>, if there is one. */
  readonly stream?: StreamRequest;
  /** Names of the verbs after that <Start>, or all of them when there is no stream. */
  readonly verbsAfter: readonly string[];
  /** Whether a verb follows that keeps the call alive; without one Twilio cuts it. */
  readonly keepsCall: boolean;
}

/** What TwiML and REST call a choice of tracks. */
export const TRACKS_OF: Readonly<Record<string, readonly Track[]>> = {
  inbound_track: ['inbound'],
  outbound_track: ['outbound'],
  both_tracks: ['inbound', 'outbound'],
};
const STREAM_ATTRIBUTES = ['url', 'name', 'track', 'statusCallback', 'statusCallbackMethod', 'connectorName'];
/** Name and value together must be under 500 characters (twilio-media-streams.md, 1.5). */
export const PARAMETER_LIMIT = 500;
const METHODS: Readonly<Record<string, 'GET' | 'POST'>> = { GET: 'GET', POST: 'POST' };
const VERBS_THAT_HOLD_NOTHING = ['Start', 'Stop'];

/**
 * Reads TwiML as far as media streams need it (twilio-media-streams.md, 1).
 * UNKNOWN: what Twilio does with a <Parameter> that is too long or named twice; refused here (12200).
 * @throws TwilioError 11750 too large, 12100 not XML, 12200 not TwiML, 31941 a track that does not exist.
 */
export function parseTwiml(text: string): Twiml {
  if (Buffer.byteLength(text) > 65_536) throw new TwilioError(11750, 'TwiML response body too large');
  const root = parseXml(text);
  if (root.name !== 'Response') throw invalid(`the root element must be <Response>, not <${root.name}>`);
  const startIndex = root.children.findIndex((verb) => verb.name === 'Start' && streamIn(verb) !== undefined);
  const verbsAfter = root.children.slice(startIndex + 1).map(({ name }) => name);
  const keepsCall = verbsAfter.some((name) => !VERBS_THAT_HOLD_NOTHING.includes(name));
  const start = root.children[startIndex];
  const element = start && streamIn(start);
  return { verbsAfter, keepsCall, ...(element && { stream: readStream(element) }) };
}

function streamIn(start: XmlElement): XmlElement | undefined {
  return start.children.find(({ name }) => name === 'Stream');
}

function readStream({ attributes, children }: XmlElement): StreamRequest {
  const unknown = Object.keys(attributes).find((name) => !STREAM_ATTRIBUTES.includes(name));
  if (unknown !== undefined) throw invalid(`<Stream> has no attribute ${unknown}`);
  const { url, name, track = 'inbound_track', statusCallback, statusCallbackMethod = 'POST' } = attributes;
  if (url === undefined || url === '') throw invalid('<Stream> needs a url');
  const tracks = TRACKS_OF[track];
  if (tracks === undefined) throw new TwilioError(31941, `Invalid Track configuration: ${track}`);
  const method = METHODS[statusCallbackMethod];
  if (method === undefined) throw invalid('statusCallbackMethod must be GET or POST');
  const callback = statusCallback === undefined ? {} : { statusCallback, statusCallbackMethod: method };
  return {
    url,
    tracks,
    parameters: readParameters(children),
    ...(name !== undefined && { name }),
    ...callback,
  };
}

function readParameters(elements: readonly XmlElement[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const element of elements) {
    const { name, value = '' } = element.attributes;
    if (element.name !== 'Parameter') throw invalid(`<Stream> holds <Parameter> only, not <${element.name}>`);
    if (name === undefined) throw invalid('<Parameter> needs a name');
    if (Object.hasOwn(parameters, name)) throw invalid(`<Parameter> ${name} is there twice`);
    if (name.length + value.length >= PARAMETER_LIMIT) {
      throw invalid(
        `name and value of <Parameter> ${name} must be under ${PARAMETER_LIMIT} characters together`,
      );
    }
    parameters[name] = value;
  }
  return parameters;
}

function invalid(problem: string): TwilioError {
  return new TwilioError(12200, `Schema validation: ${problem}`);
}
