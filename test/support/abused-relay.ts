import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { WaveOptions, WaveReport } from '../../local/abuse/wave';
import { startFleet, type Fleet } from '../../local/fleet';
import { FLEET_URL } from '../../local/fleet/relay-environment';
import { relayProgram } from '../../local/fleet/relay-program';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import type { Call } from '../../local/twilio/twilio-caller';
import type { Environment } from '../../runtime/config';
import type { StoredCall } from '../../runtime/store/stored-call';
import { BYTES_PER_MS } from '../../runtime/model/audio';
import { patternedAudio } from './audio';

const ABUSE = join(__dirname, '../../local/abuse');
const TSX = pathToFileURL(require.resolve('tsx')).href;
const UTTERANCE_EVERY_MS = 4_000;

/** Bytes, after garbage collection. */
export interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** One relay in a process of its own that tells its memory; both sides of its world are here. */
export async function startAbusedRelay(callMs: number, settings: Environment = {}): Promise<Fleet> {
  const probe = pathToFileURL(join(ABUSE, 'heap-probe.ts')).href;
  return startFleet({
    size: 1,
    program: ['--expose-gc', '--import', TSX, '--import', probe, ...relayProgram()],
    settings: { TRACKS: 'inbound', GLADIA_SESSION_OPTIONS: '{}', ...settings },
    gladia: {
      limits: { processingMs: 10 },
      recogniser: createScriptedRecogniser(() => ({ channels: [utterancesOf(callMs)] })),
    },
  });
}

function utterancesOf(callMs: number): { startMs: number; endMs: number; text: string }[] {
  return Array.from({ length: Math.floor(callMs / UTTERANCE_EVERY_MS) }, (_, index) => ({
    startMs: index * UTTERANCE_EVERY_MS + 500,
    endMs: index * UTTERANCE_EVERY_MS + 2_500,
    text: `Sentence ${index}.`,
  }));
}

/** In real time. Resolves when all are heard. */
export async function placeGoodCalls(fleet: Fleet, count: number, callMs: number): Promise<readonly Call[]> {
  const calls = Array.from({ length: count }, (_, index) =>
    fleet.call({ audio: { inbound: patternedAudio(callMs, 500 + index) } }),
  );
  for (const call of calls) await fleet.waitFor(() => heardBytes(fleet, call) > 0, { what: 'a good call' });
  return calls;
}

function sessionsOf(fleet: Fleet, { callSid }: Call) {
  return fleet.gladia.sessions.filter(({ customMetadata }) => customMetadata['callSid'] === callSid);
}

function heardBytes(fleet: Fleet, call: Call): number {
  return sessionsOf(fleet, call).reduce((sum, { acceptedBytes }) => sum + acceptedBytes, 0);
}

/** Hostile connections from a process of their own. @returns how each of them ended */
export async function attack(
  fleet: Fleet,
  wave: Omit<WaveOptions, 'target'> & { holdMs: number },
): Promise<WaveReport> {
  const { holdMs, ...rest } = wave;
  const { accountSid, authToken } = fleet.twilio;
  const target = { port: fleet.relays[0]!.port, publicUrl: FLEET_URL, accountSid, authToken, holdMs };
  const options: WaveOptions = { ...rest, target };
  const program = ['--import', TSX, join(ABUSE, 'attacker.ts'), JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, program);
  return JSON.parse(stdout) as WaveReport;
}

export async function memoryOf(fleet: Fleet): Promise<Memory> {
  const [relay] = fleet.relays;
  const told = (): readonly object[] => relay!.lines.filter(({ msg }) => msg === 'Memory');
  const before = told().length;
  relay!.signal('SIGUSR2');
  return (await fleet.waitFor(() => told()[before], { what: 'the memory of the relay' })) as Memory;
}

/**
 * Node gives memory back to the system bit by bit: asks until there is so little.
 * @returns what there was when last asked
 */
export async function memoryBelow(fleet: Fleet, limit: Memory, withinMs: number): Promise<Memory> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const memory = await memoryOf(fleet);
    const isBelow = memory.heapBytes < limit.heapBytes && memory.rssBytes < limit.rssBytes;
    if (isBelow || performance.now() > untilMs) return memory;
    await audioMoved(fleet);
  }
}

/** Resolves when no call lives but those that are meant to, and nothing waits to be written. */
export async function calm(fleet: Fleet, liveCalls: number): Promise<void> {
  const [relay] = fleet.relays;
  const isCalm = async (): Promise<boolean> => {
    const text = await relay!.scrape();
    const lives = [valueOf(text, 'callscript_calls_live'), valueOf(text, 'callscript_sessions_live')];
    return lives.every((count) => count === liveCalls) && valueOf(text, 'callscript_store_queue') === 0;
  };
  while (!(await isCalm())) await audioMoved(fleet);
}

/** Good calls are heard all the time: a moment to ask again. */
async function audioMoved(fleet: Fleet): Promise<void> {
  let asked = 0;
  const what = 'the audio of a good call';
  await fleet.gladia.waitFor(() => (asked += 1) > 50, { timeoutMs: 60_000, what });
}

function valueOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

/** Byte for byte what was said until the call was over, once, and every sentence of it in the table. */
export async function expectWhole(fleet: Fleet, call: Call): Promise<StoredCall> {
  await call.over;
  expect(call.sent.framesDropped).toBe(0);
  // Where the machine gave the caller no time, silence took its place, which the relay's ledger counts.
  expect(fleet.audioOf(call).inbound).toMatchObject({ lostMs: 0, doubledMs: 0, overlapMs: 0, foreignMs: 0 });
  expect(sessionsOf(fleet, call)).toHaveLength(1);
  const sentences = utterancesOf(call.sent.inbound.length / BYTES_PER_MS).map(({ text }) => text);
  const stored = await fleet.completed(call);
  // In whose middle the caller hung up, there is half of one more.
  expect(stored.segments.map(({ text }) => text).slice(0, sentences.length)).toEqual(sentences);
  expect(stored.call).toMatchObject({ status: 'completed', endReason: 'stopped', reconciled: true });
  return stored;
}
