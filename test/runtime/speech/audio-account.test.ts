import fc from 'fast-check';
import { AudioAccount, type Fate } from '../../../runtime/speech/audio-account';

const acknowledged = (session: number): Fate => ({ kind: 'acknowledged', session });
const OVERFLOW: Fate = { kind: 'lost', cause: 'backlog-overflow' };

test('gives each byte one fate, the first it gets', () => {
  const account = new AudioAccount();
  account.settle(100, acknowledged(1));
  account.settle(60, OVERFLOW);
  account.settle(150, OVERFLOW);
  expect(account.stretches).toEqual([
    { fromByte: 0, toByte: 100, fate: acknowledged(1) },
    { fromByte: 100, toByte: 150, fate: OVERFLOW },
  ]);
});

test('joins neighbours of one fate', () => {
  const account = new AudioAccount();
  for (let byte = 160; byte <= 1_600; byte += 160) account.settle(byte, acknowledged(1));
  expect(account.stretches).toHaveLength(1);
});

test('opens the fate of audio again that another session will get', () => {
  const account = new AudioAccount();
  account.settle(100, acknowledged(1));
  account.settle(200, { kind: 'sent', session: 1 });
  account.reopen(60);
  account.settle(200, acknowledged(2));
  account.closeSession(1, 'unconfirmed');
  account.closeSession(2, 'accepted');
  expect(account.total('unconfirmed')).toBe(60);
  expect(account.total('accepted')).toBe(140);
});

test.each([
  ['accepted', { accepted: 100, late: 50, unconfirmed: 0, lost: 0 }],
  ['unconfirmed', { accepted: 0, late: 0, unconfirmed: 150, lost: 0 }],
  ['lost', { accepted: 0, late: 0, unconfirmed: 0, lost: 150 }],
] as const)('a session that ends as %s decides about its audio alone', (verdict, expected) => {
  const account = new AudioAccount();
  account.settle(100, acknowledged(1));
  account.settle(150, { kind: 'acknowledged-late', session: 1 });
  account.settle(180, acknowledged(2));
  account.closeSession(1, verdict);
  expect({
    accepted: account.total('accepted'),
    late: account.total('late'),
    unconfirmed: account.total('unconfirmed'),
    lost: account.total('lost', 'session-ended'),
  }).toEqual(expected);
  expect(account.total('acknowledged')).toBe(30);
});

test('a session that lost a part decides about its audio alone, from there on', () => {
  const account = new AudioAccount();
  account.settle(40, acknowledged(2));
  account.settle(100, acknowledged(1));
  account.settle(150, { kind: 'acknowledged-late', session: 1 });
  account.closeSession(1, 'lost', 120);
  expect(account.stretches).toEqual([
    { fromByte: 0, toByte: 40, fate: acknowledged(2) },
    { fromByte: 40, toByte: 100, fate: { kind: 'accepted' } },
    { fromByte: 100, toByte: 120, fate: { kind: 'late' } },
    { fromByte: 120, toByte: 150, fate: { kind: 'lost', cause: 'session-ended' } },
  ]);
});

test('keeps stretches disjoint, in order and without a hole, whatever happens', () => {
  const step = fc.oneof(
    fc.record({
      act: fc.constant('settle' as const),
      byte: fc.nat(5_000),
      session: fc.integer({ min: 1, max: 3 }),
      isLost: fc.boolean(),
    }),
    fc.record({ act: fc.constant('reopen' as const), byte: fc.nat(5_000) }),
    fc.record({
      act: fc.constant('close' as const),
      session: fc.integer({ min: 1, max: 3 }),
      verdict: fc.constantFrom('accepted' as const, 'lost' as const),
      heldToByte: fc.nat(5_000),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const account = new AudioAccount();
      for (const each of steps) {
        if (each.act === 'settle')
          account.settle(each.byte, each.isLost ? OVERFLOW : acknowledged(each.session));
        else if (each.act === 'reopen') account.reopen(each.byte);
        else account.closeSession(each.session, each.verdict, each.heldToByte);
        let byte = 0;
        for (const { fromByte, toByte } of account.stretches) {
          expect(fromByte).toBe(byte);
          expect(toByte).toBeGreaterThan(fromByte);
          byte = toByte;
        }
        expect(account.endByte).toBe(byte);
      }
    }),
  );
});
