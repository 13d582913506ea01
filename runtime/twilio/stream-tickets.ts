import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../model/clock';
import { forgetOldest } from '../model/forget-oldest';
import type { Secret } from '../model/secret';
import type { Logger } from '../observability/logger';
import type { Metrics } from '../observability/metrics';
import { readTicket, signTicket, type TicketClaims } from './stream-ticket';

/** `<Parameter>` that carries the ticket. It ends at the media socket: no record of the stream has it. */
export const TICKET_PARAMETER = 'ticket';

/** The setting `STREAM_TICKET`. */
export type TicketPolicy = 'required' | 'when-issued' | 'off';

/** Why a stream is not taken. */
export type TicketRefusal = 'no-ticket' | 'bad-ticket' | 'expired-ticket' | 'used-ticket' | 'no-ticket-key';

/** Why a ticket could not be looked at as it should be: values of the label of `ticketFaults`. */
type TicketFault = 'not-issued' | 'not-noted' | 'not-spent' | 'not-looked-up' | 'no-key' | 'other-key';

export interface TicketedCall {
  readonly callSid: string;
  readonly accountSid: string;
}

export interface TicketKeys {
  /** The first one signs. None: the secret cannot be read, or is not filled. */
  readonly keys: () => Promise<readonly Secret[]>;
  /** Reads them again, because a ticket did not fit; must bound how often it really does. */
  readonly refresh: () => Promise<readonly Secret[]>;
  /** Every process that a stream may come to has the same keys. Otherwise this one has made one up. */
  readonly areShared: boolean;
}

/** What all processes know of tickets: the part of `TicketStore` that is needed here. */
export interface TicketRecords {
  /** @returns whether nobody has used it before @throws Error when nobody can tell */
  spend(id: string): Promise<boolean>;
  noteIssued(callSid: string): Promise<void>;
  wasIssued(callSid: string): Promise<boolean>;
}

export interface StreamTicketsOptions {
  readonly policy: TicketPolicy;
  readonly keys: TicketKeys;
  readonly records: TicketRecords;
  /** Twilio begins a stream within seconds of the TwiML. Default 2 min. */
  readonly lifetimeMs?: number;
  /** Compared between machines, so this must be the wall clock. */
  readonly wallNow: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What a process remembers by itself, should the table not tell. */
const REMEMBERED = 10_000;

/**
 * A ticket for each stream: the signature of an upgrade is the same for every call (twilio-media-streams.md, 3.2), so
 * whoever has seen one could stream for ever. A ticket is for one call, one time, and short.
 *
 * What this process cannot check it takes, counted: a table or a secret that is away for a minute must not cost calls,
 * and no stranger brings that about.
 */
export class StreamTickets {
  readonly #options: StreamTicketsOptions;
  readonly #spent = new Set<string>();
  readonly #issued = new Set<string>();

  constructor(options: StreamTicketsOptions) {
    this.#options = options;
  }

  /** For a stream on a call that goes on. @returns the parameter to add; none where there are no tickets. Never rejects. */
  async issue(call: TicketedCall): Promise<Readonly<Record<string, string>>> {
    return this.#issue(call, randomBytes(16).toString('base64url'));
  }

  async #issue({ callSid, accountSid }: TicketedCall, id: string): Promise<Readonly<Record<string, string>>> {
    const { policy, keys, wallNow, lifetimeMs = 120_000 } = this.#options;
    if (policy === 'off' || callSid === '' || accountSid === '') return {};
    const [key] = await keys.keys();
    if (key === undefined) return this.#fault('not-issued', {});
    const claims = { callSid, accountSid, id, expiresAtMs: wallNow() + lifetimeMs };
    return { [TICKET_PARAMETER]: signTicket(claims, key) };
  }

  /**
   * For the first stream of a call that this app begins: each further one must bring a ticket, too. Never rejects.
   * @param signature of the request that asks: whoever has seen it can send it again at any time, as Twilio does when
   * it had no answer. All tickets of one signature are the same one, so that they begin one stream.
   */
  async issueFirst(call: TicketedCall, signature: string): Promise<Readonly<Record<string, string>>> {
    const parameters = await this.#issue(call, createHash('sha256').update(signature).digest('base64url'));
    if (TICKET_PARAMETER in parameters) {
      this.#issued.add(call.callSid);
      forgetOldest(this.#issued, REMEMBERED);
      // Not waited for: a caller hears nothing meanwhile, and nobody else knows the call yet.
      void this.#options.records.noteIssued(call.callSid).catch(() => this.#fault('not-noted', undefined));
    }
    return parameters;
  }

  /**
   * May this stream begin? Asks the table, so the answer takes a moment. Never rejects.
   * @returns why not
   */
  async check(call: TicketedCall, ticket: string | undefined): Promise<TicketRefusal | undefined> {
    const { policy } = this.#options;
    if (policy === 'off') return undefined;
    if (ticket === undefined || ticket === '') return this.#judgeWithout(call);
    const claims = await this.#claims(call, ticket);
    return claims === undefined || typeof claims === 'string' ? claims : this.#judge(call, claims);
  }

  async #judgeWithout({ callSid }: TicketedCall): Promise<TicketRefusal | undefined> {
    const { policy, records } = this.#options;
    if (policy === 'required' || this.#issued.has(callSid)) return 'no-ticket';
    try {
      return (await records.wasIssued(callSid)) ? 'no-ticket' : undefined;
    } catch {
      return this.#fault('not-looked-up', undefined);
    }
  }

  /** @returns nothing when this process cannot tell, which counts as good */
  async #claims(
    { callSid }: TicketedCall,
    ticket: string,
  ): Promise<TicketClaims | TicketRefusal | undefined> {
    const { keys, policy } = this.#options;
    const known = await keys.keys();
    const claims = readTicket(ticket, known) ?? readTicket(ticket, await keys.refresh());
    if (claims !== undefined) return claims;
    if (known.length === 0) return policy === 'required' ? 'no-ticket-key' : this.#fault('no-key', undefined);
    // Another process, or the one before this, may have issued it with a key that it had made up.
    const isForeign = !keys.areShared && policy !== 'required' && !this.#issued.has(callSid);
    return isForeign ? this.#fault('other-key', undefined) : 'bad-ticket';
  }

  async #judge(
    { callSid, accountSid }: TicketedCall,
    claims: TicketClaims,
  ): Promise<TicketRefusal | undefined> {
    const { wallNow, records } = this.#options;
    const { id } = claims;
    if (claims.callSid !== callSid || claims.accountSid !== accountSid) return 'bad-ticket';
    if (wallNow() >= claims.expiresAtMs) return 'expired-ticket';
    if (this.#spent.has(id)) return 'used-ticket';
    this.#spent.add(id);
    forgetOldest(this.#spent, REMEMBERED);
    try {
      return (await records.spend(id)) ? undefined : 'used-ticket';
    } catch {
      return this.#fault('not-spent', undefined);
    }
  }

  #fault<Answer>(fault: TicketFault, answer: Answer): Answer {
    const { metrics, logger } = this.#options;
    if (metrics.value('ticketFaults', fault) === 0) logger.warn({ fault }, ADVICE[fault]);
    metrics.count('ticketFaults', 1, fault);
    return answer;
  }
}

/** Said once for each: it may hold for every call. */
const ADVICE: Readonly<Record<TicketFault, string>> = {
  'not-issued': 'Streams get no ticket: there is no key. See the secret of TICKET_SECRET_ARN',
  'not-noted':
    'The table did not take the note that a call has a ticket: a stream without one is not refused',
  'not-spent': 'A ticket was taken although the table did not say whether it was used before',
  'not-looked-up': 'A stream without a ticket was taken: the table did not say whether its call has one',
  'no-key':
    'A ticket was taken unseen: there is no key to check it with. See the secret of TICKET_SECRET_ARN',
  'other-key':
    'A ticket of another process was taken unseen: set the same TICKET_KEY for every relay, at least 32 characters',
};
