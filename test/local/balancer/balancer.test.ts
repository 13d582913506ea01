import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { startBalancer, type Balancer } from '../../../local/balancer/balancer';

interface Backend {
  readonly port: number;
  readonly sockets: Socket[];
  close(): Promise<void>;
}

let balancer: Balancer;
const backends: Backend[] = [];
const clients: Socket[] = [];

beforeEach(async () => {
  balancer = await startBalancer();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await balancer.close();
  await balancer.close();
  await Promise.all(backends.splice(0).map((backend) => backend.close()));
});

/** Says what it hears in capitals, and hangs up when it is hung up on. */
async function startBackend(): Promise<Backend> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
    socket.on('end', () => socket.end('BYE'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const backend = {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), 'close');
    },
  };
  backends.push(backend);
  return backend;
}

async function client(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: balancer.port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** A client that is through to its backend. */
async function talkingClient(): Promise<Socket> {
  const socket = await client();
  socket.write('hello');
  await once(socket, 'data');
  return socket;
}

/** However it goes: `once` would take a reset for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

async function hear(socket: Socket): Promise<string> {
  let heard = '';
  socket.on('data', (data) => (heard += data.toString()));
  await once(socket, 'end');
  return heard;
}

it('carries both directions, and the end of each of them', async () => {
  const { port } = await startBackend();
  balancer.register(port);
  const socket = await client();
  const heard = hear(socket);
  socket.end('hello');
  expect(await heard).toBe('HELLOBYE');
  await balancer.waitFor(() => balancer.connections(port) === 0);
});

it('gives each new connection to the backend with the fewest', async () => {
  const [a, b, c] = [await startBackend(), await startBackend(), await startBackend()];
  for (const { port } of [a, b]) balancer.register(port);
  for (let n = 0; n < 6; n += 1) await talkingClient();
  expect([a, b].map(({ port }) => balancer.connections(port))).toEqual([3, 3]);
  balancer.register(c.port);
  for (let n = 0; n < 3; n += 1) await talkingClient();
  expect(balancer.connections(c.port)).toBe(3);
});

it('spreads connections that come at once', async () => {
  const [a, b] = [await startBackend(), await startBackend()];
  balancer.register(a.port);
  balancer.register(b.port);
  balancer.register(b.port);
  await Promise.all(Array.from({ length: 20 }, talkingClient));
  expect([a, b].map(({ sockets }) => sockets.length)).toEqual([10, 10]);
});

it('takes turns when all have as many, so that short requests do not all go to one', async () => {
  const [a, b] = [await startBackend(), await startBackend()];
  balancer.register(a.port);
  balancer.register(b.port);
  for (let n = 0; n < 4; n += 1) {
    const socket = await talkingClient();
    socket.end();
    await balancer.waitFor(() => balancer.connections(a.port) + balancer.connections(b.port) === 0);
  }
  expect([a, b].map(({ sockets }) => sockets.length)).toEqual([2, 2]);
});

it('takes no answer that is finished for load, though its connection is still there', async () => {
  const [a, b] = [await startBackend(), await startBackend()];
  balancer.register(a.port);
  await talkingClient();
  balancer.register(b.port);
  const done = await talkingClient();
  const answered = once(done, 'end');
  b.sockets[0]!.end('that was all');
  await answered;
  expect(balancer.connections(b.port)).toBe(1);
  const next = await talkingClient();
  expect(balancer.backendOf(next.localPort!)).toBe(b.port);
});

it('leaves the sockets of a deregistered backend alone, and gives it no new one', async () => {
  const [a, b] = [await startBackend(), await startBackend()];
  balancer.register(a.port);
  const old = await talkingClient();
  balancer.register(b.port);
  balancer.deregister(a.port, { cutSockets: false });
  balancer.deregister(a.port, { cutSockets: false });
  for (let n = 0; n < 3; n += 1) await talkingClient();
  expect(balancer.connections(a.port)).toBe(1);
  expect(balancer.backends).toEqual([b.port]);
  old.write('still there');
  expect(String((await once(old, 'data'))[0])).toBe('STILL THERE');
});

it('cuts the sockets of a deregistered backend on both sides, and those of no other', async () => {
  const [a, b] = [await startBackend(), await startBackend()];
  balancer.register(a.port);
  const old = await talkingClient();
  balancer.register(b.port);
  const other = await talkingClient();
  const cut = Promise.all([closed(old), closed(a.sockets[0]!)]);
  balancer.deregister(a.port, { cutSockets: true });
  await cut;
  expect(balancer.connections(b.port)).toBe(1);
  other.write('still there');
  expect(String((await once(other, 'data'))[0])).toBe('STILL THERE');
});

it('passes on that a backend has died', async () => {
  const { port, sockets } = await startBackend();
  balancer.register(port);
  const socket = await talkingClient();
  const isClosed = closed(socket);
  sockets[0]!.resetAndDestroy();
  await isClosed;
  await balancer.waitFor(() => balancer.connections(port) === 0);
});

it('passes on that a client has gone', async () => {
  const { port, sockets } = await startBackend();
  balancer.register(port);
  const socket = await talkingClient();
  const isClosed = closed(sockets[0]!);
  socket.resetAndDestroy();
  await isClosed;
});

it('answers 503 when there is no backend, and 502 when it is not there', async () => {
  expect(await hear(await client())).toMatch(/^HTTP\/1\.1 503 /);
  const dead = await startBackend();
  await dead.close();
  balancer.register(dead.port);
  expect(await hear(await client())).toMatch(/^HTTP\/1\.1 502 /);
});
