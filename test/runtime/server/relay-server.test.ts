import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { createLogger } from '../../../runtime/observability/logger';
import { Metrics } from '../../../runtime/observability/metrics';
import { healthRoute } from '../../../runtime/server/health-route';
import type { HttpRequest, Route } from '../../../runtime/server/http-route';
import {
  startHttpServer,
  type HttpServer,
  type HttpServerOptions,
} from '../../../runtime/server/relay-server';
import type { UpgradeDoor } from '../../../runtime/server/upgrade-door';
import { WsPeer } from '../../support/ws-peer';

const servers: HttpServer[] = [];
const sockets: Socket[] = [];
const peers: WsPeer[] = [];
let metrics: Metrics;

async function serve(options: Partial<HttpServerOptions<string>> = {}): Promise<HttpServer> {
  const server = await startHttpServer<string>({
    host: '127.0.0.1',
    port: 0,
    portSetting: 'HTTP_PORT',
    routes: [healthRoute],
    logger: createLogger('silent', 1),
    metrics,
    closeTimeoutMs: 50,
    ...options,
  });
  servers.push(server);
  return server;
}

const post = (paths: string[], handle: Route['handle']): Route => ({ methods: ['POST'], paths, handle });
const url = (server: HttpServer, path: string): string => `http://127.0.0.1:${server.port}${path}`;
const refused = (reason: string): number => metrics.value('requestsRefused', reason);

/** Sends bytes as they are and gives what came back until the server cut the connection. */
async function raw(server: HttpServer, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

async function open(server: HttpServer, path: string, protocols?: string): Promise<WsPeer> {
  const options = protocols === undefined ? {} : { headers: { 'sec-websocket-protocol': protocols } };
  const peer = await WsPeer.connect(`ws://127.0.0.1:${server.port}${path}`, options);
  peers.push(peer);
  return peer;
}

/** A door that admits all, and the sockets that came through. */
function openDoor(changes: Partial<UpgradeDoor<string>> = {}) {
  const taken: { socket: WebSocket; request: IncomingMessage; grant: string }[] = [];
  const door: UpgradeDoor<string> = {
    paths: ['/media'],
    admit: () => ({ admitted: true, grant: 'ticket' }),
    onSocket: (socket, request, grant) => void taken.push({ socket, request, grant }),
    ...changes,
  };
  return { taken, door };
}

beforeEach(() => {
  metrics = new Metrics();
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.terminate();
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('routes', () => {
  it('answers health to GET and HEAD', async () => {
    const server = await serve();
    const get = await fetch(url(server, '/health'));
    expect([get.status, await get.text()]).toEqual([200, 'ok\n']);
    const head = await fetch(url(server, '/health?from=lb'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('gives a route its request whole', async () => {
    const seen: HttpRequest[] = [];
    const route = post(['/voice', '/prefix/voice'], (request) => {
      seen.push(request);
      return { status: 200, headers: { 'content-type': 'text/xml' }, body: '<é/>' };
    });
    const server = await serve({ routes: [route] });
    const answer = await fetch(url(server, '/prefix/voice?a=1?b'), {
      method: 'POST',
      body: 'From=%2B1',
      headers: { 'x-y': 'z' },
    });
    expect([await answer.text(), answer.headers.get('content-type')]).toEqual(['<é/>', 'text/xml']);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      path: '/prefix/voice',
      query: 'a=1?b',
      headers: { 'x-y': 'z' },
    });
    expect(seen[0]!.body.toString()).toBe('From=%2B1');
  });

  it('answers 204 without a body or its length', async () => {
    const server = await serve({ routes: [post(['/s'], () => ({ status: 204 }))] });
    const answer = await fetch(url(server, '/s'), { method: 'POST' });
    expect([answer.status, answer.headers.get('content-length')]).toEqual([204, null]);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/health/'],
    ['GET', '/HEALTH'],
    ['GET', '/health%00'],
    ['POST', '/health'],
    ['DELETE', '/health'],
    ['GET', '/media'],
  ])('%s %s is not found, with an empty body', async (method, path) => {
    const server = await serve({ upgrade: openDoor().door });
    const answer = await fetch(url(server, path), { method });
    expect([answer.status, await answer.text()]).toEqual([404, '']);
    expect(refused('not-found')).toBe(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['rejects', () => Promise.reject(new Error('oops'))],
  ])('a route that %s costs that one request', async (_what, handle) => {
    const server = await serve({ routes: [post(['/voice'], handle), healthRoute] });
    const answer = await fetch(url(server, '/voice'), { method: 'POST' });
    expect([answer.status, await answer.text()]).toEqual([500, '']);
    expect((await fetch(url(server, '/health'))).status).toBe(200);
    expect(refused('failed')).toBe(1);
  });
});

describe('what a client may not do', () => {
  const echo = (): Route => post(['/voice'], ({ body }) => ({ status: 200, body: String(body.length) }));

  it('a body at the limit is taken, one byte more is refused', async () => {
    const server = await serve({ routes: [echo()], maxBodyBytes: 100 });
    const send = (length: number) =>
      fetch(url(server, '/voice'), { method: 'POST', body: 'x'.repeat(length) });
    expect(await (await send(100)).text()).toBe('100');
    expect((await send(101)).status).toBe(413);
    expect(refused('body-too-large')).toBe(1);
  });

  it('a body without a declared length is counted as it comes', async () => {
    const server = await serve({ routes: [echo()], maxBodyBytes: 100 });
    const chunk = `32\r\n${'x'.repeat(50)}\r\n`;
    const head = 'POST /voice HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await raw(server, head + chunk.repeat(4))).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
  });

  it('an announced body of gigabytes is refused before it is sent', async () => {
    const server = await serve({ routes: [echo()] });
    const head = 'POST /voice HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n';
    expect(await raw(server, head)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ['nothing at all', ''],
    ['half a header', 'GET /health HTTP/1.1\r\nHost:'],
    ['half a body', 'POST /voice HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc'],
    ['half an upgrade', 'GET /media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'],
  ])('a client that sends %s and waits is cut', async (_what, bytes) => {
    const server = await serve({ routes: [echo()], requestTimeoutMs: 30 });
    expect(await raw(server, bytes)).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(refused('too-slow')).toBe(1);
  });

  it('a header of more than 16 KiB is refused', async () => {
    const server = await serve();
    const head = `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(17_000)}\r\n\r\n`;
    expect(await raw(server, head)).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused('header-too-large')).toBe(1);
  });

  it.each([
    '\u0000\u0001\u0002\r\n\r\n',
    'HELO relay\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\u0016\u0003\u0001\u0002\u0000\r\n',
  ])('%j is a bad request, and the next client is served', async (bytes) => {
    const server = await serve();
    expect(await raw(server, bytes)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(url(server, '/health'))).status).toBe(200);
  });

  it('requests that do not wait for the answers before them are cut off, and close has nothing of them to wait for', async () => {
    const server = await serve({ closeTimeoutMs: 20_000 });
    expect(await raw(server, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200))).toBe('');
    expect(refused('pipelined')).toBe(1);
    await server.close();
  });

  it('an upgrade that does not wait for an answer is cut off as well', async () => {
    const { taken, door } = openDoor();
    const server = await serve({ upgrade: door });
    const head = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const upgrade = `GET /media HTTP/1.1\r\nHost: x\r\n${head}Sec-WebSocket-Key: luxFfW4ekMivF8y4ajVwzw==\r\n\r\n`;
    expect(await raw(server, `GET /health HTTP/1.1\r\nHost: x\r\n\r\n${upgrade}`)).toBe('');
    expect([taken.length, refused('pipelined')]).toEqual([0, 1]);
  });

  it('requests that do wait share a connection', async () => {
    const server = await serve();
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    for (let request = 0; request < 3; request += 1) {
      socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 [^]*ok\n$/);
    }
    expect(metrics.value('requestsRefused')).toBe(0);
  });

  it('one connection more than there may be is cut, whatever it wants, until another one ends', async () => {
    const server = await serve({ maxConnections: 2, upgrade: openDoor().door });
    const health = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    await open(server, '/media');
    const idle = connect(server.port, '127.0.0.1');
    sockets.push(idle);
    await once(idle, 'connect');
    expect(await raw(server, health)).toBe('');
    expect(refused('too-many-connections')).toBe(1);
    idle.destroy();
    let answer = '';
    while (answer === '') answer = await raw(server, health);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("a client that goes away in the middle of its body is nobody else's trouble", async () => {
    const handle = jest.fn(() => ({ status: 200 }));
    const server = await serve({ routes: [post(['/voice'], handle), healthRoute] });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST /voice HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc', () =>
      socket.resetAndDestroy(),
    );
    await once(socket, 'close');
    expect((await fetch(url(server, '/health'))).status).toBe(200);
    expect(handle).not.toHaveBeenCalled();
    expect(refused('failed')).toBe(0);
  });
});

describe('the upgrade door', () => {
  it('hands over the socket with what was granted', async () => {
    const { taken, door } = openDoor({ admit: async () => ({ admitted: true, grant: 'AC1' }) });
    const peer = await open(await serve({ upgrade: door }), '/media?x=1');
    expect(taken[0]).toMatchObject({ grant: 'AC1' });
    expect(taken[0]!.request.url).toBe('/media?x=1');
    expect(peer.socket.extensions).toBe('');
  });

  it('loses no message that came with the handshake', async () => {
    const messages: string[] = [];
    const { door } = openDoor({
      onSocket: (socket) => void socket.on('message', (data) => messages.push(String(data))),
    });
    const server = await serve({ upgrade: door });
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]).toString('latin1');
    const head =
      'GET /media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: luxFfW4ekMivF8y4ajVwzw==\r\n\r\n';
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    socket.write(Buffer.from(head + frame, 'latin1'));
    await once(socket, 'data');
    expect(messages).toEqual(['hi']);
  });

  it('returns no subprotocol, whatever is offered', async () => {
    const server = await serve({ upgrade: openDoor().door });
    const peer = new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1');
      sockets.push(socket);
      socket.write(
        'GET /media HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Protocol: audio\r\nSec-WebSocket-Key: luxFfW4ekMivF8y4ajVwzw==\r\n\r\n',
      );
      socket.once('data', (data) => resolve(String(data)));
    });
    const answer = await peer;
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).not.toMatch(/protocol: /i);
  });

  const upgrade = (path: string, method = 'GET'): string =>
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: luxFfW4ekMivF8y4ajVwzw==\r\n\r\n';

  it.each([403, 503])('a refusal is a whole answer with status %p', async (status) => {
    const { taken, door } = openDoor({ admit: () => ({ admitted: false, status }) });
    const answer = await raw(await serve({ upgrade: door }), upgrade('/media'));
    expect(answer).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} [A-Z][^]*\r\nConnection: close\r\nContent-Length: 0\r\n\r\n$`),
    );
    expect(taken).toEqual([]);
  });

  it.each([
    ['on another path', upgrade('/other')],
    ['with another method', upgrade('/media', 'POST')],
  ])('an upgrade %s is not found', async (_what, bytes) => {
    const { taken, door } = openDoor();
    expect(await raw(await serve({ upgrade: door }), bytes)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect([taken.length, refused('not-found')]).toEqual([0, 1]);
  });

  it('no door takes no upgrade', async () => {
    expect(await raw(await serve(), upgrade('/media'))).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('a handshake that is none is refused after admission', async () => {
    const { taken, door } = openDoor();
    const bytes = upgrade('/media').replace('luxFfW4ekMivF8y4ajVwzw==', 'short');
    expect(await raw(await serve({ upgrade: door }), bytes)).toMatch(/^HTTP\/1\.1 400 /);
    expect(taken).toEqual([]);
  });

  it('an admission that throws is answered 500', async () => {
    const { door } = openDoor({ admit: () => Promise.reject(new Error('no secrets')) });
    expect(await raw(await serve({ upgrade: door }), upgrade('/media'))).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('a client that is gone before it is admitted is forgotten', async () => {
    let decide: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (decide = resolve));
    let admitted: () => void = () => undefined;
    const { taken, door } = openDoor({
      admit: async () => {
        decide();
        await new Promise<void>((resolve) => (admitted = resolve));
        return { admitted: true, grant: '' };
      },
    });
    const server = await serve({ upgrade: door, routes: [healthRoute] });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(upgrade('/media'));
    await asked;
    socket.resetAndDestroy();
    await once(socket, 'close');
    admitted();
    expect((await fetch(url(server, '/health'))).status).toBe(200);
    expect(taken.filter((one) => one.socket.readyState === 1)).toEqual([]);
  });

  it('a taker that throws loses that socket and nothing else', async () => {
    const { door } = openDoor({
      onSocket: () => {
        throw new Error('no room');
      },
    });
    const server = await serve({ upgrade: door, routes: [healthRoute] });
    const peer = await open(server, '/media');
    expect((await peer.closed()).code).toBe(1006);
    expect((await fetch(url(server, '/health'))).status).toBe(200);
  });

  it('answers pings', async () => {
    const { door } = openDoor();
    const peer = await open(await serve({ upgrade: door }), '/media');
    peer.socket.ping('are you there');
    const [answer] = (await once(peer.socket, 'pong')) as [Buffer];
    expect(answer.toString()).toBe('are you there');
  });

  it('cuts a peer that pings and never reads, before its answers fill the memory', async () => {
    const { door, taken } = openDoor();
    const peer = await open(await serve({ upgrade: door }), '/media');
    const [{ socket } = { socket: peer.socket }] = taken;
    const cut = once(socket, 'close').then(() => true);
    peer.socket.pause();
    let most = 0;
    socket.on('ping', () => (most = Math.max(most, socket.bufferedAmount)));
    for (let isCut = false; !isCut;) {
      for (let i = 0; i < 1_000; i += 1) peer.socket.ping('x'.repeat(125));
      isCut = await Promise.race([cut, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
    }
    expect(most).toBeLessThan(128 * 1024);
  });

  it('an oversized message closes that socket with 1009, and no other', async () => {
    const { door } = openDoor({
      onSocket: (socket) => void socket.on('message', (data) => socket.send(data)),
    });
    const server = await serve({ upgrade: door, maxMessageBytes: 100 });
    const [good, bad] = await Promise.all([open(server, '/media'), open(server, '/media')]);
    bad.send('x'.repeat(101));
    expect((await bad.closed()).code).toBe(1009);
    good.send('x'.repeat(100));
    expect((await good.nextMessage()).data.length).toBe(100);
  });

  it.each([
    ['a text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
    ['an unknown opcode', [0x83, 0x80, 0, 0, 0, 0], 1002],
    ['an unmasked frame', [0x81, 0x01, 0x61], 1002],
  ])('%s closes that socket, not the process', async (_what, bytes, code) => {
    const { door } = openDoor({ onSocket: () => undefined });
    const peer = await open(await serve({ upgrade: door }), '/media');
    (peer.socket as unknown as { _socket: Socket })._socket.write(Buffer.from(bytes));
    expect((await peer.closed()).code).toBe(code);
  });
});

describe('close', () => {
  it('lets an answer under way finish, then takes nobody', async () => {
    let arrived: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    let finish: () => void = () => undefined;
    const route = post(['/voice'], async () => {
      arrived();
      await new Promise<void>((resolve) => (finish = resolve));
      return { status: 200, body: 'done' };
    });
    const server = await serve({ routes: [route], closeTimeoutMs: 20_000 });
    const answer = fetch(url(server, '/voice'), { method: 'POST' });
    await asked;
    const closed = server.close();
    finish();
    expect(await (await answer).text()).toBe('done');
    await closed;
    await expect(fetch(url(server, '/health'))).rejects.toThrow();
    expect(server.close()).toBe(closed);
  });

  it('cuts an answer that does not come', async () => {
    let arrived: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    const route = post(['/voice'], () => {
      arrived();
      return new Promise<never>(() => undefined);
    });
    const server = await serve({ routes: [route], closeTimeoutMs: 20 });
    const answer = fetch(url(server, '/voice'), { method: 'POST' });
    await asked;
    await server.close();
    await expect(answer).rejects.toThrow();
  });

  it('leaves open WebSockets to their owners and does not wait for them', async () => {
    const { taken, door } = openDoor();
    const server = await serve({ upgrade: door, closeTimeoutMs: 20_000 });
    const peer = await open(server, '/media');
    await server.close();
    taken[0]!.socket.send('still here');
    expect((await peer.nextMessage()).data.toString()).toBe('still here');
  });
});

describe('the port', () => {
  it('in use: the error names the setting', async () => {
    const { port } = await serve();
    await expect(serve({ port, portSetting: 'ADMIN_PORT' })).rejects.toThrow(
      `ADMIN_PORT: port ${port} is in use; set another one, or 0 for any free port`,
    );
  });

  it('on an address that this machine does not have: the error names the setting', async () => {
    await expect(serve({ host: '203.0.113.1' })).rejects.toThrow(
      /^HTTP_PORT: port 0 cannot be listened on \(EADDR/,
    );
  });
});
