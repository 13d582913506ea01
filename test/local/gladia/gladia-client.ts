import { once } from 'node:events';
import { WebSocket } from 'ws';
import { linearToMuLaw } from '../../../local/audio/mu-law';
import {
  startGladiaServer,
  type GladiaServer,
  type GladiaServerOptions,
} from '../../../local/gladia/gladia-server';
import { createScriptedRecogniser, type Script } from '../../../local/gladia/scripted-recogniser';

export const KEY = 'local-gladia-key';
export const TELEPHONY = { encoding: 'wav/ulaw', bit_depth: 8, sample_rate: 8000 } as const;

/** A message of the server, loosely typed: the tests say what they expect of it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Message = Record<string, any>;

export interface PostResult {
  readonly status: number;
  readonly body: Message;
}

/** Starts a server with a scripted recogniser; no delay before a job is done. */
export function startScripted(
  options: Partial<GladiaServerOptions> & {
    script?: (metadata: Record<string, unknown>) => Script | undefined;
  } = {},
): Promise<GladiaServer> {
  const { script, ...rest } = options;
  const recogniser = createScriptedRecogniser(({ customMetadata }) => script?.(customMetadata));
  return startGladiaServer({ recogniser, ...rest, limits: { processingMs: 5, ...rest.limits } });
}

export async function request(
  server: GladiaServer,
  path: string,
  { method = 'GET', body, key = KEY }: { method?: string; body?: unknown; key?: string | null } = {},
): Promise<PostResult> {
  const response = await fetch(server.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(key !== null && { 'x-gladia-key': key }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Message };
}

export function post(server: GladiaServer, body: object = {}, path = '/v2/live'): Promise<PostResult> {
  return request(server, path, { method: 'POST', body: { ...TELEPHONY, ...body } });
}

/** A socket that remembers what came, and waits for what is to come. */
export class Client {
  readonly messages: Message[] = [];
  readonly raw: string[] = [];
  readonly ws: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  #waiting: (() => void)[] = [];

  constructor(url: string) {
    this.ws = new WebSocket(url, { perMessageDeflate: false });
    this.ws.on('error', () => {});
    this.ws.on('message', (data) => {
      const text = String(data as Buffer);
      this.raw.push(text);
      try {
        this.messages.push(JSON.parse(text) as Message);
      } catch {
        // Kept in `raw`.
      }
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(url);
    await once(client.ws, 'open');
    return client;
  }

  audio(bytes: Buffer): void {
    this.ws.send(bytes);
  }

  /** Sends in frames of 20 ms a channel. */
  frames(bytes: Buffer, channels = 1): void {
    for (let at = 0; at < bytes.length; at += 160 * channels)
      this.audio(bytes.subarray(at, at + 160 * channels));
  }

  json(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  stop(): void {
    this.json({ type: 'stop_recording' });
  }

  ofType(type: string): Message[] {
    return this.messages.filter((message) => message['type'] === type);
  }

  get acks(): Message[] {
    return this.messages.filter((message) => message['type'] === 'audio_chunk');
  }

  get finals(): Message[] {
    return this.ofType('transcript').filter((message) => message['data'].is_final);
  }

  async until(fact: (client: Client) => boolean): Promise<void> {
    while (!fact(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Posts a session and opens its socket. */
export async function startSession(
  server: GladiaServer,
  body: object = {},
): Promise<{ id: string; url: string; client: Client }> {
  const { status, body: answer } = await post(server, body);
  if (status !== 201) throw new Error(`POST gave ${status}: ${JSON.stringify(answer)}`);
  const { id, url } = answer as { id: string; url: string };
  return { id, url, client: await Client.open(url) };
}

export function silence(ms: number): Buffer {
  return Buffer.alloc(ms * 8, 0xff);
}

/** A tone well above the noise, which the energy detector takes for speech. */
export function tone(ms: number): Buffer {
  return Buffer.from(Array.from({ length: ms * 8 }, (_, i) => linearToMuLaw(8000 * Math.sin(i * 0.35))));
}

/** Different bytes everywhere, so that a lost or doubled one shows. */
export function pattern(bytes: number, seed = 0): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) % 251));
}

/** Two or more channels, sample by sample. */
export function interleave(...channels: Buffer[]): Buffer {
  return Buffer.from(
    Array.from(
      { length: channels[0]!.length * channels.length },
      (_, i) => channels[i % channels.length]![Math.floor(i / channels.length)]!,
    ),
  );
}
