import {
  decisionForCloseCode,
  decisionForUpgradeStatus,
} from '../../../../runtime/speech/gladia/gladia-close-codes';

test.each([
  [1000, 'done'],
  [1001, 'resume'],
  [1005, 'resume'],
  [1006, 'resume'],
  [1009, 'resume'],
  [1011, 'resume'],
  [4399, 'resume'],
  [4400, 'new-session'],
  [4403, 'new-session'],
  [4408, 'new-session'],
  [4499, 'new-session'],
  [4500, 'resume'],
  [4999, 'resume'],
])('close code %i asks for: %s', (code, decision) => {
  expect(decisionForCloseCode(code)).toBe(decision);
});

test.each([
  [401, 'new-session'],
  [403, 'new-session'],
  [404, 'new-session'],
  [408, 'resume'],
  [429, 'resume'],
  [500, 'resume'],
  [503, 'resume'],
  [302, 'resume'],
])('a refused upgrade with %i asks for: %s', (status, decision) => {
  expect(decisionForUpgradeStatus(status)).toBe(decision);
});
