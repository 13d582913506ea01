/** A failure that Twilio has a number for; the number is in its error dictionary (twilio-media-streams.md, 2.8). */
export class TwilioError extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(`${code} ${message}`, options);
    this.name = 'TwilioError';
    this.code = code;
  }
}
