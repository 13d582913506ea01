import { createHmac } from 'node:crypto';

/** Form fields by name; a name that is repeated has several values. */
export type FormFields = Readonly<Record<string, string | readonly string[]>>;

export interface SignedRequest {
  readonly authToken: string;
  /** Exactly the text that is signed; see `webhookUrlToSign` and `streamUrlToSign`. */
  readonly url: string;
  /** The decoded form of a POST; nothing for GET and for the WebSocket handshake. */
  readonly fields?: FormFields;
}

/** How the URL of a media stream is written before it is signed. */
export type StreamUrlForm = 'normal' | 'add slash' | 'drop slash' | 'keep port';

/**
 * The signing side of X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted fields, 28 characters
 * (twilio-media-streams.md, 3.1). Written apart from the relay's check, so that they cannot share a mistake.
 */
export function twilioSignatureOf({ authToken, url, fields = {} }: SignedRequest): string {
  const hmac = createHmac('sha1', authToken).update(url, 'utf8');
  for (const name of Object.keys(fields).sort()) {
    const given = fields[name] ?? '';
    const values = typeof given === 'string' ? [given] : [...new Set(given)].sort();
    for (const value of values) hmac.update(name + value, 'utf8');
  }
  return hmac.digest('base64');
}

/**
 * What is signed for an HTTP callback: the URL as configured without user name, password and fragment, and
 * without port over https (twilio-media-streams.md, 3.2). The rest is kept as it is written, not normalised.
 */
export function webhookUrlToSign(url: string): string {
  const withoutUser = url.replace(/#.*$/s, '').replace(/^(https?:\/\/)[^/?#@]*@/, '$1');
  return withoutUser.startsWith('https:')
    ? withoutUser.replace(/^(https:\/\/[^/?#:]+):\d+/, '$1')
    : withoutUser;
}

/**
 * What is signed for a stream's handshake: the wss URL without query and port, a bare host with the root slash
 * (twilio-media-streams.md, 3.2). UNKNOWN: a slash after a path, and an explicit port; hence the forms.
 */
export function streamUrlToSign(url: string, form: StreamUrlForm = 'normal'): string {
  const withoutQuery = url.replace(/[?#].*$/s, '');
  const withPort = /^[a-z]+:\/\/[^/]+$/.test(withoutQuery) ? `${withoutQuery}/` : withoutQuery;
  const withoutPort = withPort.replace(/^([a-z]+:\/\/[^/:]+):\d+/, '$1');
  const byForm: Record<StreamUrlForm, string> = {
    normal: withoutPort,
    'add slash': withoutPort.endsWith('/') ? withoutPort : `${withoutPort}/`,
    'drop slash': withoutPort.replace(/\/$/, ''),
    'keep port': withPort,
  };
  return byForm[form];
}
