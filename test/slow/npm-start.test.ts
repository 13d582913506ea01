import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WaveFile } from 'wavefile';
import { decodeMuLaw } from '../../local/audio/mu-law';
import { loadSampleCall } from '../../local/sample-call/sample-call';
import { wordErrorRate } from '../support/word-errors';

const ROOT = join(__dirname, '..', '..');

/** A folder that sees the project but keeps its own .local/. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callscript-'));
  for (const name of ['package.json', 'tsconfig.json', 'node_modules', 'local', 'runtime'])
    symlinkSync(join(ROOT, name), join(folder, name));
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function npm(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile('npm', args, { cwd: folder, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function linesOf(stdout: string, speaker: string): string {
  const stored = stdout.slice(stdout.indexOf('Stored in DynamoDB'));
  return [...stored.matchAll(new RegExp(`^\\d\\d:\\d\\d\\.\\d  ${speaker} +(.*)$`, 'gm'))]
    .map(([, text]) => text)
    .join(' ');
}

function saidOn(track: string): string {
  return loadSampleCall()
    .turns.filter((turn) => turn.track === track)
    .map(({ text }) => text)
    .join(' ');
}

test('npm start hears both sides of the sample call, accounts for all of it, and leaves it to be read', async () => {
  const run = await npm('start', '--silent');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(wordErrorRate(saidOn('inbound'), linesOf(run.stdout, 'customer'))).toBeLessThan(0.15);
  expect(wordErrorRate(saidOn('outbound'), linesOf(run.stdout, 'agent'))).toBeLessThan(0.15);
  expect(run.stdout).toMatch(/Every millisecond is accounted for: .* 100 % transcribed/);

  const list = await npm('run', '--silent', 'transcripts', '--', 'list', '--json');
  expect(list.exitCode).toBe(0);
  const [listed] = JSON.parse(list.stdout) as { callSid: string }[];
  const show = await npm('run', '--silent', 'transcripts', '--', 'show', listed!.callSid);
  expect(
    wordErrorRate(saidOn('inbound'), linesOf(`Stored in DynamoDB\n${show.stdout}`, 'customer')),
  ).toBeLessThan(0.15);
});

test('npm start -- --wav hears a recording of another rate, and one side only', async () => {
  const { inbound } = loadSampleCall();
  const samples = decodeMuLaw(inbound.subarray(0, 12 * 8_000));
  const wave = new WaveFile();
  wave.fromScratch(1, 8_000, '16', [...samples]);
  wave.toSampleRate(44_100);
  writeFileSync(join(folder, 'customer.wav'), wave.toBuffer());
  const run = await npm('start', '--silent', '--', '--wav', 'customer.wav');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  const [firstTurn] = loadSampleCall().turns.filter(
    ({ track, endMs }) => track === 'inbound' && endMs < 12_000,
  );
  expect(wordErrorRate(firstTurn!.text, linesOf(run.stdout, 'customer'))).toBeLessThan(0.25);
  expect(linesOf(run.stdout, 'agent')).toBe('');
});

test('npm start says what is wrong with a file that is no WAV, and places no call', async () => {
  writeFileSync(join(folder, 'notes.wav'), 'these are notes');
  const run = await npm('start', '--silent', '--', '--wav', 'notes.wav');
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain('notes.wav');
  expect(run.stdout).toBe('');
});

test('Ctrl-C during a call ends it, stores what was heard, and exits cleanly', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/start.ts', '--scripted'], { cwd: folder });
  let stdout = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
      if (stdout.includes('How can I help you?')) resolve();
    });
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  child.kill('SIGINT');
  expect(await exited).toBe(0);
  expect(stdout).toContain('Stored in DynamoDB');
});
