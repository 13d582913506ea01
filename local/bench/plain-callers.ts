import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { randomSid } from '../twilio/random-sids';
import { FRAME_BYTES, FRAME_MS } from './frame-tags';

/** One-track calls on `ws`, each with a timer of its own, as anybody would write them: they share no code with `BenchCallers`. */
export class PlainCallers {
  readonly #sockets: WebSocket[] = [];
  #sentFrames = 0;

  /** Of all calls. */
  get sentFrames(): number {
    return this.#sentFrames;
  }

  /** @throws Error when a call cannot begin */
  async start(url: string, calls: number): Promise<void> {
    for (let i = 0; i < calls; i += 1) {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      this.#sockets.push(socket);
      await once(socket, 'open');
      // Whoever is measured ends first.
      socket.on('error', () => undefined);
      this.#talk(socket);
    }
  }

  end(): void {
    for (const socket of this.#sockets) socket.close();
  }

  /** Keys and order of the wire (twilio-media-streams.md, 2.2). */
  #talk(socket: WebSocket): void {
    const streamSid = randomSid('MZ');
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
    const call = { accountSid: randomSid('AC'), streamSid, callSid: randomSid('CA'), tracks: ['inbound'] };
    const start = { ...call, mediaFormat, customParameters: {} };
    const send = (message: object): void => socket.send(JSON.stringify(message));
    send({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    send({ event: 'start', sequenceNumber: '1', start, streamSid });
    const payload = randomBytes(FRAME_BYTES).toString('base64');
    let frames = 0;
    const beganAtMs = performance.now();
    const next = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return;
      frames += 1;
      this.#sentFrames += 1;
      const timestamp = String((frames - 1) * FRAME_MS);
      const media = { track: 'inbound', chunk: String(frames), timestamp, payload };
      send({ event: 'media', sequenceNumber: String(frames + 1), media, streamSid });
      // Each at its own moment: intervals would end up in step.
      setTimeout(next, beganAtMs + frames * FRAME_MS - performance.now());
    };
    next();
  }
}
