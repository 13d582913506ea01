/** What is UNKNOWN of Twilio's REST API, as switches (twilio-media-streams.md, 5 and 11). */
export interface RestRules {
  /** A name used twice or a fifth track: an error at once, or a stream that fails with `stream-error`. */
  readonly unknownRefusals: 'answer' | 'stream-error';
  /** How long a stream that is over keeps its tracks, in real time. */
  readonly deadStreamHoldsTracksMs: number;
  /** HTTP status of a stream that was made: 200 by the specification, while other resources answer 201. */
  readonly createdStatus: 200 | 201;
}

export const REST_RULES: RestRules = {
  unknownRefusals: 'answer',
  deadStreamHoldsTracksMs: 0,
  createdStatus: 200,
};
