import { randomBytes } from 'node:crypto';

/** What a sid names: AC account, CA call, MZ media stream. */
export type SidKind = 'AC' | 'CA' | 'MZ';

/** A fresh sid: two letters and 32 hex digits (twilio-media-streams.md, 2.2). */
export function randomSid(kind: SidKind): string {
  return `${kind}${randomBytes(16).toString('hex')}`;
}
