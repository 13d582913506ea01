/** Two letters and 32 hexadecimal digits (twilio-media-streams.md, 2.2). */
const TWILIO_SID = /^[A-Z]{2}[0-9a-f]{32}$/i;
/** Fits into a key, and no phone number or card number is in it. */
const HARMLESS = /^(?!.*\d{5})[A-Za-z0-9_-]{1,64}$/;

/** May this name a call, a stream or an account in keys and in the log? Anybody who can sign may write anything there. */
export function isSid(value: string): boolean {
  return TWILIO_SID.test(value) || HARMLESS.test(value);
}
