import { Secret } from '../../../runtime/model/secret';
import { Metrics } from '../../../runtime/observability/metrics';
import { signTicket } from '../../../runtime/twilio/stream-ticket';
import {
  StreamTickets,
  TICKET_PARAMETER,
  type StreamTicketsOptions,
  type TicketRecords,
} from '../../../runtime/twilio/stream-tickets';
import { recordLog } from '../../support/recorded-log';

const KEY = new Secret('0123456789abcdef0123456789abcdef');
const OTHER = new Secret('fedcba9876543210fedcba9876543210');
const CALL = { callSid: 'CA1', accountSid: 'AC1' };
const NOW = 1_800_000_000_000;

/** What the table would do, and whether it does. */
class Table implements TicketRecords {
  readonly spent = new Set<string>();
  readonly issued = new Set<string>();
  isDown = false;

  async spend(id: string): Promise<boolean> {
    this.#ask();
    if (this.spent.has(id)) return false;
    this.spent.add(id);
    return true;
  }

  async noteIssued(callSid: string): Promise<void> {
    this.#ask();
    this.issued.add(callSid);
  }

  async wasIssued(callSid: string): Promise<boolean> {
    this.#ask();
    return this.issued.has(callSid);
  }

  #ask(): void {
    if (this.isDown) throw new Error('the table is away');
  }
}

interface Choices {
  readonly table?: Table;
  readonly policy?: StreamTicketsOptions['policy'];
  readonly keys?: readonly Secret[];
  readonly refreshed?: readonly Secret[];
  readonly areShared?: boolean;
  readonly wallNow?: () => number;
}

function bench(choices: Choices = {}) {
  const { table = new Table(), policy = 'when-issued', keys = [KEY], areShared = true } = choices;
  const metrics = new Metrics();
  const log = recordLog();
  const tickets = new StreamTickets({
    policy,
    keys: {
      keys: async () => keys,
      refresh: async () => choices.refreshed ?? keys,
      areShared,
    },
    records: table,
    wallNow: choices.wallNow ?? (() => NOW),
    logger: log.logger,
    metrics,
  });
  const first = async (signature = 'signature'): Promise<string | undefined> =>
    (await tickets.issueFirst(CALL, signature))[TICKET_PARAMETER];
  const faults = (fault: string): number => metrics.value('ticketFaults', fault);
  return { tickets, first, faults, table, lines: log.lines };
}

const ticketOf = (claims: object = {}, key = KEY): string =>
  signTicket({ ...CALL, id: 'id', expiresAtMs: NOW + 1_000, ...claims }, key);

describe('a ticket', () => {
  it('lets one stream of its call begin, on any process', async () => {
    const table = new Table();
    const ticket = await bench({ table }).first();
    expect(await bench({ table }).tickets.check(CALL, ticket)).toBeUndefined();
    expect(await bench({ table }).tickets.check(CALL, ticket)).toBe('used-ticket');
  });

  it('is another one for each stream', async () => {
    const { tickets } = bench();
    const issued = await Promise.all([
      tickets.issue(CALL),
      tickets.issue(CALL),
      tickets.issueFirst(CALL, 'one'),
    ]);
    expect(new Set(issued.map(({ [TICKET_PARAMETER]: ticket }) => ticket)).size).toBe(3);
  });

  it('of a request that was sent again, at once or days later, is no second one', async () => {
    const table = new Table();
    let now = NOW;
    const { first, tickets } = bench({ table, wallNow: () => now });
    const [asked, askedAgain] = [await first('one'), await first('one')];
    expect(await tickets.check(CALL, askedAgain)).toBeUndefined();
    expect(await tickets.check(CALL, asked)).toBe('used-ticket');
    now += 7 * 24 * 3_600_000;
    expect(await bench({ table, wallNow: () => now }).tickets.check(CALL, await first('one'))).toBe(
      'used-ticket',
    );
    expect(await tickets.check(CALL, await first('another'))).toBeUndefined();
  });

  it.each([
    ['another call', { callSid: 'CA2' }],
    ['another account', { accountSid: 'AC2' }],
  ])('of %s is refused, and not spent', async (_whose, claims) => {
    const { tickets, table } = bench();
    expect(await tickets.check(CALL, ticketOf(claims))).toBe('bad-ticket');
    expect(table.spent.size).toBe(0);
  });

  it('is refused from the moment it expires', async () => {
    let now = NOW;
    const { tickets } = bench({ wallNow: () => now });
    now = NOW + 999;
    expect(await tickets.check(CALL, ticketOf({ id: 'in time' }))).toBeUndefined();
    now = NOW + 1_000;
    expect(await tickets.check(CALL, ticketOf({ id: 'too late' }))).toBe('expired-ticket');
  });

  it.each(['when-issued', 'required'] as const)('that is garbage is refused when %s', async (policy) => {
    const { tickets } = bench({ policy });
    expect(await tickets.check(CALL, 'garbage')).toBe('bad-ticket');
    expect(await tickets.check(CALL, ticketOf({}, OTHER))).toBe('bad-ticket');
  });

  it('of a key that was rotated just now is taken', async () => {
    const { tickets } = bench({ keys: [OTHER], refreshed: [KEY, OTHER] });
    expect(await tickets.check(CALL, ticketOf())).toBeUndefined();
  });

  it('that two sockets bring at once lets one of them in, even without the table', async () => {
    const { tickets, table, faults } = bench();
    table.isDown = true;
    const answers = await Promise.all([tickets.check(CALL, ticketOf()), tickets.check(CALL, ticketOf())]);
    expect(answers).toEqual([undefined, 'used-ticket']);
    expect(faults('not-spent')).toBe(1);
  });
});

describe('a stream without a ticket', () => {
  it('is taken when its call has none, as from a TwiML Bin', async () => {
    expect(await bench().tickets.check(CALL, undefined)).toBeUndefined();
    expect(await bench().tickets.check(CALL, '')).toBeUndefined();
  });

  it('is refused when its call has one, on the process that issued it and on others', async () => {
    const table = new Table();
    const issuer = bench({ table });
    await issuer.first();
    expect(await issuer.tickets.check(CALL, undefined)).toBe('no-ticket');
    expect(await bench({ table }).tickets.check(CALL, undefined)).toBe('no-ticket');
    expect(await bench({ table }).tickets.check({ ...CALL, callSid: 'CA2' }, undefined)).toBeUndefined();
  });

  it('is refused by its issuer also when the table does not take the note', async () => {
    const { tickets, table, first, faults } = bench();
    table.isDown = true;
    await first();
    expect(await tickets.check(CALL, undefined)).toBe('no-ticket');
    expect(faults('not-noted')).toBe(1);
  });

  it('is taken and counted when the table does not tell', async () => {
    const { tickets, table, faults } = bench();
    table.isDown = true;
    expect(await tickets.check(CALL, undefined)).toBeUndefined();
    expect(faults('not-looked-up')).toBe(1);
  });

  it('is refused when all must have one', async () => {
    expect(await bench({ policy: 'required' }).tickets.check(CALL, undefined)).toBe('no-ticket');
  });

  it('that goes on with a call of a TwiML Bin makes no later one need a ticket', async () => {
    const { tickets } = bench();
    await tickets.issue(CALL);
    expect(await tickets.check(CALL, undefined)).toBeUndefined();
  });
});

describe('without a key', () => {
  it('none is issued, nothing is noted, and the call goes on', async () => {
    const { first, table, faults } = bench({ keys: [] });
    expect(await first()).toBeUndefined();
    expect(table.issued.size).toBe(0);
    expect(faults('not-issued')).toBe(1);
  });

  it('a ticket is taken unseen and counted, unless all must have one', async () => {
    const { tickets, faults } = bench({ keys: [] });
    expect(await tickets.check(CALL, ticketOf())).toBeUndefined();
    expect(faults('no-key')).toBe(1);
    expect(await bench({ keys: [], policy: 'required' }).tickets.check(CALL, ticketOf())).toBe(
      'no-ticket-key',
    );
  });
});

describe('with a key that the process has made up', () => {
  const alone = { areShared: false };

  it('a foreign ticket is taken, counted and said once: another relay may have issued it', async () => {
    const { tickets, faults, lines } = bench(alone);
    expect(await tickets.check(CALL, ticketOf({}, OTHER))).toBeUndefined();
    expect(await tickets.check(CALL, ticketOf({ id: 'other' }, OTHER))).toBeUndefined();
    expect(faults('other-key')).toBe(2);
    expect(lines.filter(({ fault }) => fault === 'other-key')).toHaveLength(1);
  });

  it('a foreign ticket is refused for a call that has one of its own', async () => {
    const { tickets, first } = bench(alone);
    await first();
    expect(await tickets.check(CALL, ticketOf({}, OTHER))).toBe('bad-ticket');
  });

  it('a foreign ticket is refused when all must have one', async () => {
    expect(await bench({ ...alone, policy: 'required' }).tickets.check(CALL, 'garbage')).toBe('bad-ticket');
  });
});

test('switched off, none is issued and none is asked for', async () => {
  const { tickets, first, table } = bench({ policy: 'off' });
  expect(await first()).toBeUndefined();
  expect(table.issued.size).toBe(0);
  expect(await tickets.check(CALL, 'garbage')).toBeUndefined();
});

test('a call that Twilio does not name gets none: it could not be bound', async () => {
  const { tickets } = bench();
  expect(await tickets.issue({ callSid: '', accountSid: 'AC1' })).toEqual({});
  expect(await tickets.issue({ callSid: 'CA1', accountSid: '' })).toEqual({});
});

test('no log line has a ticket in it', async () => {
  const { tickets, table, first, lines } = bench({ areShared: false });
  table.isDown = true;
  const ticket = (await first()) ?? '';
  const foreign = ticketOf({ callSid: 'CA2' }, OTHER);
  await tickets.check(CALL, ticket);
  await tickets.check({ ...CALL, callSid: 'CA2' }, foreign);
  const text = JSON.stringify(lines);
  for (const part of [...ticket.split('.').slice(1), ...foreign.split('.').slice(1)])
    expect(text).not.toContain(part);
  expect(lines.length).toBeGreaterThan(0);
});
