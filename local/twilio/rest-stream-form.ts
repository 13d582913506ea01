import { badRequest } from './rest-refusal';
import { PARAMETER_LIMIT, TRACKS_OF, type StreamRequest } from './twiml';

/** REST has `Parameter1` to `Parameter99` (twilio-media-streams.md, 5.1). */
const MOST_PARAMETERS = 99;

/** Reads the form that creates a stream (5.1). A scheme that is not wss shows later, as with TwiML. @throws RestRefusal */
export function parseStreamForm(form: URLSearchParams): StreamRequest {
  const url = form.get('Url') ?? '';
  if (url === '') throw badRequest('Url is required');
  const track = form.get('Track') ?? 'inbound_track';
  const tracks = TRACKS_OF[track];
  if (tracks === undefined) throw badRequest(`Track must be inbound_track, outbound_track or both_tracks`);
  const name = form.get('Name') ?? '';
  return {
    url,
    tracks,
    parameters: readParameters(form),
    ...(name === '' ? {} : { name }),
    ...callback(form),
  };
}

function readParameters(form: URLSearchParams): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (let n = 1; n <= MOST_PARAMETERS; n += 1) {
    const name = form.get(`Parameter${n}.Name`);
    if (name === null) continue;
    const value = form.get(`Parameter${n}.Value`) ?? '';
    if (name.length + value.length >= PARAMETER_LIMIT) throw badRequest(`Parameter${n} is too long`);
    parameters[name] = value;
  }
  return parameters;
}

function callback(form: URLSearchParams): Pick<StreamRequest, 'statusCallback' | 'statusCallbackMethod'> {
  const url = form.get('StatusCallback') ?? '';
  const method = form.get('StatusCallbackMethod') ?? 'POST';
  if (method !== 'GET' && method !== 'POST') throw badRequest('StatusCallbackMethod must be GET or POST');
  return url === '' ? {} : { statusCallback: url, statusCallbackMethod: method };
}
