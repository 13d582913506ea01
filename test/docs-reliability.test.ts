import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS } from '../local/chaos/scenarios';
import { LEG_MOVES, type LegState } from '../runtime/call/leg-state';
import { CONTINUITY_TIMING } from '../runtime/continuity/continuity-timing';
import * as durations from '../runtime/contract/durations';
import type { LossCause, NoStreamCause, TrackLedger } from '../runtime/model/audio-ledger';
import type { LegEndReason } from '../runtime/model/call-event';
import { RELAY_TIMING } from '../runtime/relay';
import { ORPHAN_TIMING } from '../runtime/speech/orphaned-session';
import { RECOGNITION_STATES, type RecognitionState } from '../runtime/speech/recognition-state';
import { RECOGNITION_TIMING } from '../runtime/speech/recognition-timing';
import { expectLinks } from './support/doc-links';

const DOCS = join(__dirname, '..', 'docs');
const page = readFileSync(join(DOCS, 'reliability.md'), 'utf8');

/** Ways in which the design says that things go wrong, and a session's end after three hours. */
const FAULTS = 16;

/** What is under a heading, up to the next one of the same level. */
function section(heading: string): string {
  const [, text = ''] = page.split(`\n${heading}\n`);
  const [level = ''] = heading.split(' ');
  return text.split(`\n${level} `)[0] ?? '';
}

function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

function edgesOf(text: string): readonly Edge[] {
  const [, diagram = ''] = /```mermaid\nstateDiagram-v2\n([^`]*)```/.exec(text) ?? [];
  const lines = diagram.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [, from, to, label = ''] = /^ {2}(\S+) --> (\S+)(?: : (\S[^:;]*))?$/.exec(line) ?? [];
    // It would be a picture that nobody checks, or none at all.
    if (from === undefined || to === undefined)
      throw new Error(`a line of a picture is not understood: ${line}`);
    return { from, to, label };
  });
}

function moves(edges: readonly Edge[]): string[] {
  return edges.map(({ from, to }) => `${from} -> ${to}`).sort();
}

test("the picture of a leg has the table's moves, no more and no fewer", () => {
  const edges = edgesOf(section('### A leg'));
  const states = Object.keys(LEG_MOVES) as LegState[];
  const wanted = states.flatMap((from) => LEG_MOVES[from].map((to) => ({ from, to, label: '' })));
  expect(moves(edges.filter(({ from, to }) => from !== '[*]' && to !== '[*]'))).toEqual(moves(wanted));
  const last = states.filter((state) => LEG_MOVES[state].length === 0);
  expect(edges.filter(({ to }) => to === '[*]').map(({ from }) => from)).toEqual(last);
  expect(edges.filter(({ from }) => from === '[*]').map(({ to }) => to)).toEqual(['waiting']);
});

describe('the picture of a recognition', () => {
  const states = Object.keys(RECOGNITION_STATES) as RecognitionState[];
  const edges = edgesOf(section('### A recognition'));
  const inner = edges.filter(({ from, to }) => from !== '[*]' && to !== '[*]');

  test.each([
    ['opened', 'onOpened'],
    ['lost', 'onLost'],
  ] as const)('has what the table says of a socket that is %s', (label, column) => {
    const wanted = states
      .map((from) => ({ from, to: RECOGNITION_STATES[from][column], label }))
      .filter(({ from, to }) => from !== to);
    expect(moves(inner.filter((edge) => edge.label === label))).toEqual(moves(wanted));
  });

  test('lets every state finish or close, and none begin again', () => {
    const others = inner.filter(({ label }) => label !== 'opened' && label !== 'lost');
    const streaming = states.filter((state) => state !== 'finishing' && state !== 'closed');
    const wanted = [
      ...streaming.map((from) => ({ from, to: 'finishing', label: '' })),
      ...[...streaming, 'finishing'].map((from) => ({ from, to: 'closed', label: '' })),
    ];
    expect(moves(others)).toEqual(moves(wanted));
    expect(edges.filter(({ to }) => to === '[*]').map(({ from }) => from)).toEqual(['closed']);
  });
});

const TIMINGS: Readonly<Record<string, unknown>> = {
  ...durations,
  ...RELAY_TIMING,
  ...ORPHAN_TIMING,
  ...RECOGNITION_TIMING,
  ...CONTINUITY_TIMING,
};
const timingRows = tableRows(section('## Timings')).slice(1);

test('the table of timings has the values of the code, and all of those between tasks', () => {
  const told = timingRows.map(([, , value = '', name = '']) => {
    const [, seconds, unit] = /^([\d.]+)( s)?$/.exec(value) ?? [];
    return [name.replaceAll('`', ''), Number(seconds) * (unit === undefined ? 1 : 1_000)];
  });
  expect(told).toEqual(told.map(([name = '']) => [name, TIMINGS[name]]));
  expect(told.map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(CONTINUITY_TIMING)));
});

test('the page says how a kill without a callback is noticed with the numbers of the code', () => {
  const { leaseMs, renewEveryMs, lookEveryMs } = CONTINUITY_TIMING;
  const [least, most, look] = [leaseMs - renewEveryMs, leaseMs, lookEveryMs * 1.25].map((ms) => ms / 1_000);
  expect(section('## Timings')).toContain(
    `missed ${least} to ${most} s after it, and looked for up to ${look?.toFixed(1)} s later`,
  );
});

const CAUSES: Readonly<Record<LossCause | NoStreamCause, true>> = {
  'backlog-overflow': true,
  'session-ended': true,
  'transcription-failed': true,
  'relay-stopped': true,
  'task-died': true,
  'stream-lost': true,
  'stream-stopped': true,
};
const LINES: Readonly<Record<keyof TrackLedger, true>> = {
  receivedMs: true,
  framesMs: true,
  filledMs: true,
  acceptedMs: true,
  lateMs: true,
  unconfirmedMs: true,
  lostMs: true,
};
const END_REASONS: Readonly<Record<LegEndReason, true>> = {
  stopped: true,
  'stream-lost': true,
  'protocol-error': true,
  'task-died': true,
  'handed-over': true,
  replaced: true,
  idle: true,
  'too-long': true,
  drained: true,
};

test('every line of the ledger, every cause and every end of a leg is told', () => {
  const names = (text: string): string[] =>
    tableRows(text)
      .map(([, name = '']) => name)
      .filter((name) => name.startsWith('`'))
      .map((name) => name.replaceAll('`', ''));
  expect(names(section('## The ledger, line by line'))).toEqual([
    ...Object.keys(LINES),
    ...Object.keys(CAUSES),
  ]);
  expect(names(section('### A leg'))).toEqual(Object.keys(END_REASONS));
});

describe('the scenarios that the page names', () => {
  const names = SCENARIOS.map(({ name }) => name);

  test('each of them plays one of the faults, and every fault is played by one at least', () => {
    const faults = tableRows(section('## Measured')).slice(1);
    const played = faults.map(([, , scenarios = '']) =>
      scenarios.split(', ').map((name) => name.slice(1, -1)),
    );
    expect(played.flat().toSorted()).toEqual(names.toSorted());
    expect(faults.length).toBeGreaterThanOrEqual(FAULTS);
  });

  test('all of them were measured, and kept their promises', () => {
    const [, output = ''] = /```text\n([^`]*)```/.exec(section('## Measured')) ?? [];
    const rows = output.split('\n').filter((line) => /^[a-z].* (kept|BROKEN) /.test(line));
    expect(rows.map((line) => line.split(' ')[0]).toSorted()).toEqual(names.toSorted());
    expect(output).not.toContain('BROKEN');
  });
});

test.each(['reliability.md', join('decisions', '005-continuity.md')])(
  'every file and heading that %s links to is there',
  (name) => expectLinks(join(DOCS, name), { moreThan: 0 }),
);
