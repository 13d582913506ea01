import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack';
import { request, signedUpgrade, upgradeRequest } from './target';

/** A byte now and then, so that the connection never looks idle. */
const TRICKLE_MS = 250;

const FORM = 'Content-Type: application/x-www-form-urlencoded';
/** As many as a body may hold. */
const MANY_NAMES = Array.from({ length: 16_000 }, (_, index) => index.toString(36)).join('&');

async function trickle(
  write: (byte: string) => Promise<void>,
  isOver: () => boolean,
  forMs: number,
): Promise<void> {
  for (let at = 0; at < forMs && !isOver(); at += TRICKLE_MS) {
    await write('x');
    await delay(TRICKLE_MS);
  }
}

export const IDLE: Attack = {
  name: 'idle connection',
  ends: ['408'],
  mayBeHeld: true,
  play: () => Promise.resolve(),
};

/** What needs no secret: anybody on the internet can do it. */
export const HTTP_ATTACKS: readonly Attack[] = [
  IDLE,
  {
    name: 'half-open upgrade',
    ends: ['408'],
    mayBeHeld: true,
    play: (connection, target) => connection.write(upgradeRequest(target).slice(0, -2)),
  },
  {
    name: 'slow header',
    ends: ['408'],
    mayBeHeld: true,
    async play(connection, { publicUrl, holdMs }) {
      await connection.write(request('GET /health', publicUrl, ['X-Slow: ']).slice(0, -4));
      await trickle(
        (byte) => connection.write(byte),
        () => connection.isClosed,
        holdMs,
      );
    },
  },
  {
    name: 'slow body',
    ends: ['408'],
    mayBeHeld: true,
    async play(connection, { publicUrl, holdMs }) {
      await connection.write(request('POST /voice', publicUrl, [FORM, 'Content-Length: 60000']));
      await trickle(
        (byte) => connection.write(byte),
        () => connection.isClosed,
        holdMs,
      );
    },
  },
  {
    name: 'endless body',
    // The rest of the body may meet a closed door, and then the answer is lost on its way.
    ends: ['413', 'closed'],
    async play(connection, { publicUrl }) {
      await connection.write(request('POST /voice', publicUrl, [FORM, 'Transfer-Encoding: chunked']));
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      for (let sent = 0; sent < 64 && !connection.isClosed; sent += 1) await connection.write(chunk);
    },
  },
  {
    name: 'large header',
    ends: ['431', 'closed'],
    play: (connection, { publicUrl }) =>
      connection.write(request('GET /health', publicUrl, [`X-Large: ${'x'.repeat(64 * 1024)}`])),
  },
  {
    name: 'no HTTP',
    ends: ['400'],
    play: (connection) =>
      connection.write(Buffer.from('\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n', 'latin1')),
  },
  {
    name: 'two lengths',
    ends: ['400'],
    play: (connection, { publicUrl }) =>
      connection.write(
        request('POST /voice', publicUrl, [FORM, 'Content-Length: 5', 'Transfer-Encoding: chunked']) +
          '0\r\n\r\nGET /health HTTP/1.1\r\n\r\n',
      ),
  },
  {
    name: 'path that is not there',
    ends: ['404'],
    play: (connection, { publicUrl }) => connection.write(request('GET /.env', publicUrl)),
  },
  {
    name: 'form without signature',
    ends: ['403'],
    play: (connection, { publicUrl }) =>
      connection.write(
        `${request('POST /voice', publicUrl, [FORM, 'Connection: close', 'Content-Length: 5'])}a=b&c`,
      ),
  },
  {
    name: 'form of thousands of names',
    ends: ['403'],
    play: (connection, { publicUrl }) =>
      connection.write(
        request('POST /voice', publicUrl, [
          FORM,
          'Connection: close',
          `Content-Length: ${MANY_NAMES.length}`,
        ]) + MANY_NAMES,
      ),
  },
  {
    name: 'upgrade without signature',
    ends: ['403'],
    play: (connection, target) => connection.write(upgradeRequest(target)),
  },
  {
    name: 'upgrade with a wrong signature',
    ends: ['403'],
    play: (connection, target) =>
      connection.write(upgradeRequest(target, ['X-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA='])),
  },
  {
    name: 'upgrade that is reset',
    ends: ['closed'],
    async play(connection, target) {
      await connection.write(signedUpgrade(target));
      connection.reset();
    },
  },
  {
    name: 'requests that do not wait for answers',
    ends: ['closed'],
    play: (connection, { publicUrl }) => connection.write(request('GET /health', publicUrl).repeat(200)),
  },
];
