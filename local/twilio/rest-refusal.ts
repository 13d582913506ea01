/** An error answer of the REST API (twilio-media-streams.md, 5.4). */
export class RestRefusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.name = 'RestRefusal';
    this.status = status;
    this.code = code;
  }
}

export const notAuthenticated = (): RestRefusal => new RestRefusal(401, 20003, 'Authenticate');
export const notFound = (): RestRefusal =>
  new RestRefusal(404, 20404, 'The requested resource was not found');
/** The call rings or is over. */
export const wrongCallState = (): RestRefusal => new RestRefusal(400, 21220, 'Invalid call state');
/** For what Twilio refuses with a number that is UNKNOWN; this one is ours. */
export const badRequest = (problem: string): RestRefusal => new RestRefusal(400, 20001, problem);
