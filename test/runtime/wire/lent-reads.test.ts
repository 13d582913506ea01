import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { LentReads } from '../../../runtime/wire/lent-reads';
import { readTextFrames } from '../../../runtime/wire/text-frames';

const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Of `localhost`, signed by itself, and known to nobody. */
const [cert, key] = ['certificate.pem', 'key.pem'].map((file) =>
  readFileSync(join(__dirname, '../../support/localhost', file)),
);

interface Peer {
  readonly url: string;
  /** The next socket that is opened, as the server has it. */
  readonly nextSocket: () => Promise<WebSocket>;
}

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function start(isSecure: boolean): Promise<Peer> {
  const server: Server = isSecure ? createSecureServer({ cert, key }) : createServer();
  const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  closing.push(() => {
    webSockets.clients.forEach((client) => client.terminate());
    server.close();
  });
  return {
    url: `${isSecure ? 'wss' : 'ws'}://localhost:${(server.address() as AddressInfo).port}`,
    nextSocket: async () => ((await once(webSockets, 'connection')) as [WebSocket])[0],
  };
}

interface Client {
  readonly socket: WebSocket;
  readonly connection: Socket;
  /** The next `count` messages. */
  readonly messages: (count: number) => Promise<string[]>;
  readonly waiting: string[];
  /** What came past the connection's `data`. */
  readonly lentBytes: () => number;
}

function connect({ url }: Peer): Client {
  const reads = new LentReads(url.startsWith('wss:'));
  let connection: Socket | undefined;
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    ca: cert,
    createConnection: (request: object) => (connection = reads.connect(request)),
  });
  const options = { isMasked: false, maxMessageBytes: MAX_MESSAGE_BYTES };
  socket.on('upgrade', (response) =>
    socket.once('open', () => {
      const taker = readTextFrames(socket, response.socket, options)!;
      reads.taker = {
        takeLent: (bytes, to) => {
          lentBytes += to;
          taker.takeLent(bytes, to);
        },
      };
    }),
  );
  const waiting: string[] = [];
  let lentBytes = 0;
  socket.on('message', (data: Buffer) => waiting.push(data.toString()));
  const messages = async (count: number): Promise<string[]> => {
    while (waiting.length < count) await once(socket, 'message');
    return waiting.splice(0, count);
  };
  return { socket, connection: connection!, messages, waiting, lentBytes: () => lentBytes };
}

const many = Array.from({ length: 500 }, (_, i) => `${i} ${'word '.repeat(i % 40)}`);

describe.each([
  ['ws', false],
  ['wss', true],
])('over %s', (_, isSecure) => {
  test('brings every message, large and small, in order', async () => {
    const peer = await start(isSecure);
    const next = peer.nextSocket();
    const client = connect(peer);
    const server = await next;
    // The first of them may come with the answer to the upgrade.
    const large = 'x'.repeat(300_000);
    for (const each of [...many, large, 'last']) server.send(each);
    expect(await client.messages(many.length + 2)).toEqual([...many, large, 'last']);
    expect(client.lentBytes()).toBeGreaterThan(large.length / 2);
  });

  test('keeps two connections apart', async () => {
    const peer = await start(isSecure);
    const [one, other] = [connect(peer), connect(peer)];
    const sockets = [await peer.nextSocket(), await peer.nextSocket()];
    for (const [i, each] of many.entries()) sockets[i % 2]!.send(each);
    const came = await Promise.all([one.messages(many.length / 2), other.messages(many.length / 2)]);
    const sent = [0, 1].map((half) => many.filter((_each, i) => i % 2 === half));
    expect(came.map(([first]) => first).sort()).toEqual(['0 ', '1 word ']);
    expect(came.sort(([a = ''], [b = '']) => a.localeCompare(b))).toEqual(sent);
  });

  test('reads next to nothing while the connection is paused, and all of it afterwards', async () => {
    const peer = await start(isSecure);
    const next = peer.nextSocket();
    const client = connect(peer);
    const server = await next;
    server.send('before');
    expect(await client.messages(1)).toEqual(['before']);
    const other = connect(peer);
    const toOther = await peer.nextSocket();
    client.connection.pause();
    await Promise.all(many.map((each) => new Promise((resolve) => server.send(each, resolve))));
    toOther.send('what came before this could have been read');
    await other.messages(1);
    // TLS gives what it has decrypted already.
    if (isSecure) expect(client.waiting.length).toBeLessThan(many.length);
    else expect(client.waiting).toEqual([]);
    client.connection.resume();
    expect(await client.messages(many.length)).toEqual(many);
  });

  test('tells of the end', async () => {
    const peer = await start(isSecure);
    const next = peer.nextSocket();
    const client = connect(peer);
    const server = await next;
    server.send('last words');
    server.close(4321, 'enough');
    const [code] = (await once(client.socket, 'close')) as [number];
    expect([client.waiting, code]).toEqual([['last words'], 4321]);
  });

  test('tells of a connection that is cut', async () => {
    const peer = await start(isSecure);
    const next = peer.nextSocket();
    const client = connect(peer);
    (await next).terminate();
    const [code] = (await once(client.socket, 'close')) as [number];
    expect(code).toBe(1006);
  });
});

test('says what is wrong with a certificate, as any connection does', async () => {
  const peer = await start(true);
  const reads = new LentReads(true);
  const socket = new WebSocket(peer.url, { createConnection: (request: object) => reads.connect(request) });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
});
