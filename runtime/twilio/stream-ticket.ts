import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../model/secret';

/** What a ticket says: this call, and no other, may have a stream, once, until then. */
export interface TicketClaims {
  readonly callSid: string;
  readonly accountSid: string;
  /** Unique: a ticket is used once. */
  readonly id: string;
  /** Wall clock, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Bytes of a key: as many as the hash has (RFC 7518, 3.2). */
export const LEAST_KEY_LENGTH = 32;

/** The one header that there is. A ticket cannot choose its algorithm, because the header is compared and not read. */
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
/** The payload, and the 43 characters of a SHA-256. */
const TICKET = /^([\w-]+)\.([\w-]{1,400})\.([\w-]{43})$/;

/** A JWT (RFC 7519) with HS256, of some 300 characters. */
export function signTicket({ callSid, accountSid, id, expiresAtMs }: TicketClaims, key: Secret): string {
  const payload = { sub: callSid, iss: accountSid, jti: id, exp: Math.ceil(expiresAtMs / 1000) };
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${signed}.${signature(signed, key)}`;
}

/**
 * What the ticket says, whether its time is over or not.
 * @param keys that may have signed it: during a rotation there are two
 * @returns nothing when it is none of ours
 */
export function readTicket(ticket: string, keys: readonly Secret[]): TicketClaims | undefined {
  const [, header, payload = '', given = ''] = TICKET.exec(ticket) ?? [];
  if (header !== HEADER) return undefined;
  const isOurs = keys.some((key) => isEqual(given, signature(`${header}.${payload}`, key)));
  return isOurs ? claimsOf(payload) : undefined;
}

function signature(signed: string, key: Secret): string {
  return createHmac('sha256', key.reveal()).update(signed).digest('base64url');
}

/** As text, so that a signature has one spelling only. Constant time: both have 43 characters. */
function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

/** Signed by us, but perhaps by another version. */
function claimsOf(payload: string): TicketClaims | undefined {
  const claims = parsed(Buffer.from(payload, 'base64url').toString());
  const { sub: callSid, iss: accountSid, jti: id, exp } = claims;
  if (typeof callSid !== 'string' || typeof accountSid !== 'string' || typeof id !== 'string')
    return undefined;
  return typeof exp === 'number' ? { callSid, accountSid, id, expiresAtMs: exp * 1000 } : undefined;
}

function parsed(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
