import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../model/secret';

/** Decoded form fields in any order; a name may come several times. `URLSearchParams` is one. */
export type FormFields = Iterable<readonly [name: string, value: string]>;

export interface SignedRequest {
  /** `X-Twilio-Signature`. */
  readonly header: string | undefined;
  /** The auth tokens that may have signed: during a rotation there are two (3.3). */
  readonly tokens: readonly Secret[];
  /** The URLs that may have been signed: `publicUrlCandidates`. */
  readonly urls: readonly string[];
  /** `signedForm` of a POST form; none for a GET and for a WebSocket upgrade. */
  readonly form?: Buffer;
}

export type SignatureCheck =
  | { readonly ok: true; readonly tokenIndex: number }
  | { readonly ok: false; readonly reason: 'no-header' | 'mismatch' };

const NO_FORM = Buffer.alloc(0);

/** Is this request really from Twilio? (twilio-media-streams.md, 3.1) */
export function checkTwilioSignature({
  header,
  tokens,
  urls,
  form = NO_FORM,
}: SignedRequest): SignatureCheck {
  // Also without one: a refusal takes as long, whatever the reason.
  const given = Buffer.from(header ?? '');
  const tokenIndex = tokens.findIndex((token) =>
    urls.some((url) => isEqual(given, Buffer.from(hmac(token.reveal(), url, form)))),
  );
  if (tokenIndex !== -1) return { ok: true, tokenIndex };
  return { ok: false, reason: given.length === 0 ? 'no-header' : 'mismatch' };
}

/** What Twilio puts into the header for this URL and form. */
export function twilioSignature(token: string, url: string, fields: FormFields = []): string {
  return hmac(token, url, signedForm(fields));
}

/** What is signed after the URL: names in UTF-16 order, each with its distinct values in that order, nothing between them. */
export function signedForm(fields: FormFields): Buffer {
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of fields) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, new Set([value]));
    else values.add(value);
  }
  const signed = [...byName.keys()]
    .sort()
    .flatMap((name) => [...(byName.get(name) ?? [])].sort().map((value) => name + value));
  return Buffer.from(signed.join(''));
}

function hmac(token: string, url: string, form: Buffer): string {
  return createHmac('sha1', token).update(url, 'utf8').update(form).digest('base64');
}

/** Constant time for equal lengths; the length of a signature is no secret. */
function isEqual(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
