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
  /** The fields of a POST form; none for a GET and for a WebSocket upgrade. */
  readonly fields?: FormFields;
}

export type SignatureCheck =
  | { readonly ok: true; readonly tokenIndex: number }
  | { readonly ok: false; readonly reason: 'no-header' | 'mismatch' };

/** Is this request really from Twilio? (twilio-media-streams.md, 3.1) */
export function checkTwilioSignature({ header, tokens, urls, fields = [] }: SignedRequest): SignatureCheck {
  // Also without one: a refusal takes as long, whatever the reason.
  const given = Buffer.from(header ?? '');
  const suffix = signedFields(fields);
  const tokenIndex = tokens.findIndex((token) =>
    urls.some((url) => isEqual(given, Buffer.from(hmac(token.reveal(), url + suffix)))),
  );
  if (tokenIndex !== -1) return { ok: true, tokenIndex };
  return { ok: false, reason: given.length === 0 ? 'no-header' : 'mismatch' };
}

/** What Twilio puts into the header for this URL and form. */
export function twilioSignature(token: string, url: string, fields: FormFields = []): string {
  return hmac(token, url + signedFields(fields));
}

/** Names in UTF-16 order, each with its distinct values in that order, nothing between them. */
function signedFields(fields: FormFields): string {
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of fields) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, new Set([value]));
    else values.add(value);
  }
  return [...byName.keys()]
    .sort()
    .flatMap((name) => [...(byName.get(name) ?? [])].sort().map((value) => name + value))
    .join('');
}

function hmac(token: string, data: string): string {
  return createHmac('sha1', token).update(data, 'utf8').digest('base64');
}

/** Constant time for equal lengths; the length of a signature is no secret. */
function isEqual(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
