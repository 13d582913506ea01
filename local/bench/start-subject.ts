import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LOCAL_REGION, LOCAL_TABLE } from '../embedded-dynamodb';
import { nodeOptions } from '../image/dockerfile';
import type { Certificate } from './certificate';
import type { Cell, Subject } from './cell';
import type { Cores } from './cores';
import { startHaproxy } from './haproxy';
import { MeasuredProcess } from './measured-process';
import type { ProbeReport, ProbeRequest } from './probe-messages';
import { PIPE_PATH } from './speech-side';

const RUNTIME = resolve(__dirname, '../../runtime');
const BUNDLE = join(RUNTIME, 'dist/main.js');

export interface StartedSubject {
  readonly port: number;
  ask(request: ProbeRequest): Promise<ProbeReport> | ProbeReport;
  end(): Promise<void>;
}

/** Where a speech server is. */
export interface SpeechAddress {
  readonly port: number;
  /** http or https. */
  readonly url: string;
  /** ws or wss. */
  readonly socketUrl: string;
}

export interface SubjectSurroundings {
  readonly cell: Cell;
  readonly speech: SpeechAddress;
  readonly storeEndpoint: string;
  readonly certificate: Certificate | undefined;
  readonly cores: Cores | undefined;
  readonly nodeOptions?: readonly string[];
}

/** Starts who is measured. @throws Error when it does not start */
export async function startSubject(subject: Subject, world: SubjectSurroundings): Promise<StartedSubject> {
  const { speech, cores } = world;
  if (subject === 'haproxy') return startHaproxy(speech.port, cores);
  const measured = new MeasuredProcess({
    program: subject === 'relay' ? [...asInTheImage(), BUNDLE] : [join(__dirname, `${subject}.mjs`)],
    environment: { ...trust(world.certificate), ...environmentOf(subject, world) },
    cores,
    ...(world.nodeOptions === undefined ? {} : { nodeOptions: world.nodeOptions }),
  });
  const port = await measured.port;
  return { port, ask: (request) => measured.ask(request), end: () => measured.end() };
}

/** The relay is measured as it runs there. */
function asInTheImage(): readonly string[] {
  return nodeOptions(readFileSync(join(RUNTIME, 'Dockerfile'), 'utf8'));
}

function trust(certificate: Certificate | undefined): Record<string, string> {
  return certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate.file };
}

function environmentOf(
  subject: Exclude<Subject, 'haproxy'>,
  { cell, speech, storeEndpoint }: SubjectSurroundings,
): Record<string, string> {
  switch (subject) {
    case 'net-pipe':
      return { SPEECH_PORT: String(speech.port) };
    case 'ws-pipe':
      return { SPEECH_URL: speech.socketUrl + PIPE_PATH, AUDIO_CHUNK_MS: String(cell.chunkMs) };
    case 'relay':
      // Everything else as it comes: every safety is on.
      return {
        NODE_ENV: 'production',
        HTTP_PORT: '0',
        ADMIN_PORT: '0',
        ALLOW_UNSIGNED_STREAMS: 'true',
        VOICE_TWIML: '<Pause length="3600"/>',
        GLADIA_API_KEY: 'local-gladia-key',
        GLADIA_API_URL: speech.url,
        AUDIO_CHUNK_MS: String(cell.chunkMs),
        TRANSCRIPTS_TABLE: LOCAL_TABLE,
        AWS_REGION: LOCAL_REGION,
        AWS_ENDPOINT_URL_DYNAMODB: storeEndpoint,
        DRAIN_TIMEOUT_MS: '10000',
      };
  }
}
