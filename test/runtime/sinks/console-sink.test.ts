import { clockTime, ConsoleSink } from '../../../runtime/sinks/console-sink';
import { Terminal, type TerminalOutput } from '../../../runtime/sinks/terminal';
import type { Segment, TranscriptEvent } from '../../../runtime/model/transcript-event';

class Screen implements TerminalOutput {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns?: number,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

const id = { callSid: 'CA0123456789abcdef0123456789abcdef', streamSid: 'MZ0123456789abcdef0123456789abcdef' };

function segment(text: string, fields: Partial<Segment> = {}): Segment {
  return {
    sessionId: 's',
    sessionNumber: 1,
    utteranceId: 'u',
    channel: 0,
    track: 'inbound',
    speaker: 'customer',
    text,
    language: 'en',
    confidence: 1,
    startMs: 61_250,
    endMs: 62_000,
    at: '2026-11-21T10:00:00.000Z',
    words: [],
    sessionStartMs: 0,
    sessionEndMs: 1,
    source: 'live',
    ...fields,
  };
}

function started(callSid = id.callSid): TranscriptEvent {
  const parties = { direction: 'inbound', from: '+15005550006' } as const;
  return {
    type: 'leg-started',
    ...id,
    callSid,
    accountSid: 'AC',
    startedAt: '',
    tracks: ['inbound', 'outbound'],
    parties,
  };
}

function write(screen: Screen, ...events: TranscriptEvent[]): string {
  const sink = new ConsoleSink(new Terminal(screen, {}));
  for (const event of events) sink.write(event);
  return screen.text;
}

test('where nobody sees them change, only finals are written, as plain lines', () => {
  const text = write(
    new Screen(false),
    started(),
    { type: 'partial', ...id, segment: segment('good mor') },
    { type: 'final', ...id, segment: segment('Good morning.') },
  );
  expect(text).toBe('Twilio connected: inbound and outbound audio\n01:01.2  customer  Good morning.\n');
});

test('on a terminal a partial gives way to the next and to its final', () => {
  const screen = new Screen(true, 40);
  write(
    screen,
    { type: 'partial', ...id, segment: segment('good') },
    { type: 'partial', ...id, segment: segment('good mor') },
  );
  expect(screen.text.split('\x1b[1A')).toHaveLength(2);
  screen.text = '';
  write(screen, { type: 'final', ...id, segment: segment('Good morning.') });
  expect(screen.text).toContain('Good morning.');
});

test('a partial is cut to the width of the terminal, because a broken line could not be taken back', () => {
  const screen = new Screen(true, 30);
  write(screen, { type: 'partial', ...id, segment: segment('a'.repeat(500)) });
  expect(screen.text.replace(/\x1b\[[\d;]*[A-Za-z]/g, '').trim()).toHaveLength(29);
});

const PLAIN = /\x1b\[[\d;]*[A-Za-z]/g;
const LONG =
  'I would like to know whether the green mountain bike with the broken front light that I left with you is ready now';

/** What stands on the screen, without what moves the cursor or colours. */
function shown(columns: number, event: TranscriptEvent): string[] {
  const screen = new Screen(true, columns);
  write(screen, event);
  return screen.text.replace(PLAIN, '').trimEnd().split('\n');
}

test.each([40, 60, 100])(
  'a long partial keeps its time, its speaker and its newest words at %i columns',
  (columns) => {
    const lines = shown(columns, { type: 'partial', ...id, segment: segment(LONG) });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.length).toBeLessThan(columns);
    expect(lines[0]).toMatch(/^01:01\.2 {2}customer {2}… \S.*ready now \.\.\.$/);
    // Whole words, and as many as fit.
    const words = lines[0]!.slice('01:01.2  customer  … '.length, -' ...'.length);
    expect(LONG.endsWith(` ${words}`)).toBe(true);
    expect(lines[0]!.length).toBeGreaterThan(columns - 12);
  },
);

test.each([40, 60, 100])('a final breaks between words and stays under its text at %i columns', (columns) => {
  const lines = shown(columns, { type: 'final', ...id, segment: segment(LONG) });
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line.length).toBeLessThan(columns);
  const [first = '', ...others] = lines;
  const head = '01:01.2  customer  ';
  expect(first.startsWith(head)).toBe(true);
  for (const line of others) expect(line.slice(0, head.length + 1)).toMatch(/^ {19}\S$/);
  expect(lines.map((line) => line.slice(head.length)).join(' ')).toBe(LONG);
});

test('a final that goes into a file or a program is one line', () => {
  const text = write(new Screen(false, 40), { type: 'final', ...id, segment: segment(LONG) });
  expect(text).toBe(`01:01.2  customer  ${LONG}\n`);
});

test('a terminal too narrow for a column of text gets the line as it is', () => {
  expect(shown(24, { type: 'final', ...id, segment: segment(LONG) })).toEqual([`01:01.2  customer  ${LONG}`]);
});

test('several calls are told apart', () => {
  const other = 'CA0123456789abcdef0123456789fedcba';
  const text = write(new Screen(false), started(), started(other), {
    type: 'final',
    ...id,
    callSid: other,
    segment: segment('Hi.'),
  });
  expect(text).toContain('fedcba  01:01.2  customer  Hi.');
});

test('neither phone numbers nor the session URL are shown', () => {
  expect(write(new Screen(false), started())).not.toContain('+1500');
});

test('NO_COLOR takes the colours and leaves the changing lines', () => {
  const screen = new Screen(true, 80);
  const terminal = new Terminal(screen, { NO_COLOR: '1' });
  terminal.line(terminal.styled('x', 'red'));
  expect(terminal.hasColour).toBe(false);
  expect(screen.text).toBe('\x1b[0Jx\n');
});

test.each([
  [0, '00:00.0'],
  [59_999, '00:59.9'],
  [60_000, '01:00.0'],
  [3_599_999, '59:59.9'],
  [3_600_000, '1:00:00.0'],
])('%i ms is %s', (ms, text) => {
  expect(clockTime(ms)).toBe(text);
});
