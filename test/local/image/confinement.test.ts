import { checkConfinement } from '../../../local/image/confinement';

const CONFINED = {
  uid: '1000',
  capabilities: '0000000000000000',
  noNewPrivileges: '1',
  written: [],
  memoryBytes: 2 ** 30,
};
const containerWith = (found: object) => ({ exec: async () => JSON.stringify({ ...CONFINED, ...found }) });

test('a container as confined as a task passes', async () => {
  expect(await checkConfinement(containerWith({}))).toContain('uid 1000');
});

test.each([
  [{ uid: '0' }, /uid 0/],
  [{ capabilities: '00000000a80425fb' }, /00000000a80425fb/],
  [{ noNewPrivileges: '0' }, /gain privileges/],
  [{ written: ['/tmp/x'] }, /write \/tmp\/x/],
  [{ memoryBytes: 2 ** 63 }, /memory/],
])('one with %j is looser, and the error says how', async (found, message) => {
  await expect(checkConfinement(containerWith(found))).rejects.toThrow(message);
});
