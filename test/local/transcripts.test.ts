import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runTranscripts } from '../../local/transcripts/run-transcripts';
import { startDynamoDbFaultProxy } from '../support/dynamodb-fault-proxy';
import { createLocalStore, type LocalStore } from '../support/local-store';
import { eventsOf } from '../support/transcript-events';

const startedAt = new Date().toISOString();
const endedAt = new Date(Date.now() + 65_000).toISOString();
const call = eventsOf('CA11');
const start = call.legStarted({ startedAt });
const end = call.callEnded({ endedAt });
let local: LocalStore;

beforeEach(async () => void (local = await createLocalStore()));
afterEach(() => local.remove());

interface Output {
  readonly out: string[];
  readonly err: string[];
  /** Resolves when this many lines came out. */
  lines(count: number): Promise<string[]>;
  /** Resolves when `tail` gives what is stored from now on. */
  readonly following: Promise<void>;
}

interface Running extends Output {
  readonly exitCode: Promise<number>;
  stop(): void;
}

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Running {
  const stop = new AbortController();
  const out: string[] = [];
  const err: string[] = [];
  const watchers = new Set<() => void>();
  let setFollowing = (): void => undefined;
  const following = new Promise<void>((resolve) => (setFollowing = resolve));
  const exitCode = runTranscripts(args, {
    environment,
    out: (line) => {
      out.push(line);
      watchers.forEach((watch) => watch());
    },
    err: (line) => {
      err.push(line);
      if (line.startsWith('Following')) setFollowing();
    },
    color: false,
    signal: stop.signal,
    pollMs: 10,
    directory: local.directory,
  });
  const lines = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      const watch = (): void => {
        if (out.length >= count) resolve(out);
      };
      watchers.add(watch);
      watch();
    });
  return { out, err, lines, following, exitCode, stop: () => stop.abort() };
}

describe('With the program that has the store open running', () => {
  test('list shows the calls, newest first', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final(), end]);
    const older = eventsOf('CA22').legStarted({ startedAt: new Date(Date.now() - 86_400_000).toISOString() });
    await local.write(store, [older]);
    const list = run(['list']);
    expect(await list.exitCode).toBe(0);
    expect(list.out).toHaveLength(3);
    expect(list.out[1]).toContain('CA11');
    expect(list.out[1]).toMatch(/completed$/);
    expect(list.out[2]).toContain('CA22');
  });

  test('show prints the conversation and the ledger', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final(), end]);
    const show = run(['show', 'CA11']);
    expect(await show.exitCode).toBe(0);
    expect(show.out).toContain('00:01.2  customer  Good morning, my parcel has not arrived.');
    expect(show.out.join('\n')).toContain('Every millisecond is accounted for');
  });

  test('show --json is one document without session urls', async () => {
    const store = await local.start();
    await local.write(store, [start, call.sessionOpened(), call.final()]);
    const show = run(['show', 'CA11', '--json']);
    expect(await show.exitCode).toBe(0);
    const document = JSON.parse(show.out.join('\n')) as Record<string, unknown>;
    expect(document).toMatchObject({ call: { callSid: 'CA11' }, segments: [{ speaker: 'customer' }] });
    expect(show.out.join('')).not.toContain('token');
  });

  test('tail of a call gives what there is and what comes, once, and ends with the call', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final()]);
    const tail = run(['tail', 'CA11']);
    await tail.lines(1);
    await local.write(store, [call.final({ startMs: 9_000, text: 'Later.', utteranceId: '2' })]);
    await tail.lines(2);
    // The other side's utterance began earlier but was over later.
    await local.write(store, [call.final({ startMs: 5_000, text: 'In between.', utteranceId: '3' })]);
    await tail.lines(3);
    await local.write(store, [end]);
    expect(await tail.exitCode).toBe(0);
    expect(tail.out).toEqual([
      '00:01.2  customer  Good morning, my parcel has not arrived.',
      '00:09.0  customer  Later.',
      '00:05.0  customer  In between.',
    ]);
  });

  test('tail of a call that is over gives all of it', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final(), end]);
    const tail = run(['tail', 'CA11', '--json']);
    expect(await tail.exitCode).toBe(0);
    expect(JSON.parse(tail.out[0] ?? '')).toMatchObject({
      callSid: 'CA11',
      text: expect.stringContaining('parcel'),
    });
  });

  test('tail of all live calls gives only what is new, with the call, until it is stopped', async () => {
    const store = await local.start();
    const over = eventsOf('CA33');
    await local.write(store, [
      start,
      call.final(),
      over.legStarted({ startedAt }),
      over.callEnded({ endedAt }),
    ]);
    const tail = run(['tail']);
    await tail.following;
    const second = eventsOf('CA22');
    await local.write(store, [second.legStarted({ startedAt }), second.final({ text: 'From a new call.' })]);
    await tail.lines(1);
    await local.write(store, [call.final({ startMs: 9_000, text: 'New.', utteranceId: '2' })]);
    await tail.lines(2);
    // The last words of a call that ends before the next look are not missed.
    await local.write(store, [second.final({ startMs: 9_000, text: 'Bye.', utteranceId: '9' })]);
    await local.write(store, [second.callEnded({ endedAt })]);
    await tail.lines(3);
    tail.stop();
    expect(await tail.exitCode).toBe(0);
    expect(tail.out).toEqual([
      'CA22  00:01.2  customer  From a new call.',
      'CA11  00:09.0  customer  New.',
      'CA22  00:09.0  customer  Bye.',
    ]);
  });

  test('tail ends well when that program ends', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final()]);
    const tail = run(['tail', 'CA11']);
    await tail.lines(1);
    await store.close();
    expect(await tail.exitCode).toBe(0);
    expect(tail.err).toEqual([
      'Following CA11. Ctrl-C ends.',
      'The program that had the store open has ended.',
    ]);
  });
});

describe('With nothing running', () => {
  test('show opens the files itself, and leaves them to the next program', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final(), end]);
    await store.close();
    const show = run(['show', 'CA11']);
    expect(await show.exitCode).toBe(0);
    expect(show.out).toContain('00:01.2  customer  Good morning, my parcel has not arrived.');
    await local.start();
  });

  test('a store that was never made is an error that names npm start', async () => {
    const list = run(['list']);
    expect(await list.exitCode).toBe(1);
    expect(list.err.join()).toContain('run npm start first');
  });

  test('an empty store has no calls, which is no error', async () => {
    await (await local.start()).close();
    const text = run(['list']);
    expect(await text.exitCode).toBe(0);
    expect(text.out).toEqual(['No calls in the last 30 days.']);
    const document = run(['list', '--json']);
    await document.exitCode;
    expect(document.out).toEqual(['[]']);
  });

  test('tail of all calls says that nothing runs', async () => {
    await (await local.start()).close();
    const tail = run(['tail']);
    expect(await tail.exitCode).toBe(1);
    expect(tail.err.join()).toContain('Nothing runs here now');
  });
});

describe('The end of a CallSid', () => {
  const one = eventsOf('CA0000000000000000000000000aabbcc1');
  const other = eventsOf('CA1111111111111111111111111aabbcc1');
  const write = async (...calls: (typeof one)[]): Promise<void> => {
    const store = await local.start();
    await local.write(
      store,
      calls.flatMap((of) => [of.legStarted({ startedAt }), of.final(), of.callEnded({ endedAt })]),
    );
  };

  test.each([['show'], ['tail']])('is enough for %s', async (command) => {
    await write(one);
    const found = run([command, 'abbcc1']);
    expect(await found.exitCode).toBe(0);
    expect(found.out).toContain('00:01.2  customer  Good morning, my parcel has not arrived.');
  });

  test('names no call when several have it: the error says which', async () => {
    await write(one, other);
    const several = run(['show', 'aabbcc1']);
    expect(await several.exitCode).toBe(1);
    expect(several.err.join()).toMatch(/Several calls end in aabbcc1.*CA[01]{2}.*, CA[01]{2}/);
    const longer = run(['show', '1aabbcc1']);
    expect(await longer.exitCode).toBe(0);
    expect(longer.out[0]).toBe('Call CA1111111111111111111111111aabbcc1');
  });

  test('is no name when it is short', async () => {
    await write(one);
    const short = run(['show', 'bbcc1']);
    expect(await short.exitCode).toBe(1);
    expect(short.err.join()).toContain('There is no call bbcc1');
  });
});

test.each([['show'], ['tail']])(
  '%s of an unknown call is an error that says where to look',
  async (command) => {
    await local.start();
    const unknown = run([command, 'CA99']);
    expect(await unknown.exitCode).toBe(1);
    expect(unknown.err).toEqual(['There is no call CA99: npm run transcripts -- list shows those there are']);
  },
);

test('A wrong command line is shown the usage, and exits with 2', async () => {
  const wrong = run(['lst']);
  expect(await wrong.exitCode).toBe(2);
  expect(wrong.err.join()).toMatch(/no command "lst"[^]*Usage: npm run transcripts/);
});

test('Help goes to the output and is no error', async () => {
  const help = run(['--help']);
  expect(await help.exitCode).toBe(0);
  expect(help.out.join()).toContain('Usage: npm run transcripts');
});

test('show --json has the legs in order, and marks what two legs heard', async () => {
  const store = await local.start();
  const other = eventsOf('CA11', 'MZ2');
  const heard = { firstAudioAt: '2026-11-21T10:00:30.000Z', lastAudioAt: '2026-11-21T10:01:00.000Z' };
  await local.write(store, [
    start,
    call.final(),
    call.legEnded({ firstAudioAt: '2026-11-21T10:00:00.100Z', lastAudioAt: '2026-11-21T10:00:31.000Z' }),
    other.legStarted(),
    other.final({ overlap: true }),
    other.legEnded(heard),
  ]);
  const show = run(['show', 'CA11', '--json']);
  expect(await show.exitCode).toBe(0);
  const shown = JSON.parse(show.out.join('')) as { segments: object[]; legs: object[] };
  expect(shown.legs).toMatchObject([
    { number: 1, streamSid: 'MZ1' },
    { number: 2, streamSid: 'MZ2', sinceBeforeMs: -1_000 },
  ]);
  expect(shown.segments).toMatchObject([{ streamSid: 'MZ1' }, { streamSid: 'MZ2', overlap: true }]);
  expect(shown.segments[0]).not.toHaveProperty('overlap');
});

describe('With --table', () => {
  test('the table of the region is read', async () => {
    const store = await local.start();
    await local.write(store, [start, call.final()]);
    const environment = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_DYNAMODB: store.endpoint };
    const show = run(['show', 'CA11', '--table', 'callscript'], environment);
    expect(await show.exitCode).toBe(0);
  });

  test('a missing region is an error that names the variable', async () => {
    const list = run(['list', '--table', 'callscript']);
    expect(await list.exitCode).toBe(1);
    expect(list.err.join()).toContain('AWS_REGION is not set');
  });

  test.each([
    ['ResourceNotFoundException', 'no such table'],
    ['AccessDeniedException', 'dynamodb:Query'],
    ['UnrecognizedClientException', 'does not know these credentials'],
    ['ExpiredTokenException', 'have expired'],
    ['ValidationException', 'not one of Callscript'],
  ])('%s becomes a sentence', async (name, sentence) => {
    const proxy = await startDynamoDbFaultProxy('http://127.0.0.1:1');
    proxy.setFault(() => ({ type: 'error', name, status: 400 }));
    const environment = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint };
    const list = run(['list', '--table', 'calls'], environment);
    expect(await list.exitCode).toBe(1);
    expect(list.err.join()).toContain(sentence);
    await proxy.close();
  });
});

describe('As a program', () => {
  const project = join(__dirname, '..', '..');

  function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const tsx = pathToFileURL(require.resolve('tsx')).href;
    const child = spawn(process.execPath, ['--import', tsx, join(project, 'local/transcripts.ts'), ...args], {
      cwd: local.root,
      env: { AWS_EC2_METADATA_DISABLED: 'true', HOME: local.root, ...environment },
    });
    let text = '';
    child.stderr.on('data', (data: Buffer) => (text += data.toString()));
    return {
      child,
      exit: once(child, 'exit') as Promise<[number | null, string | null]>,
      errors: () => text,
    };
  }

  test('Ctrl-C ends tail with exit 0', async () => {
    const store = await local.start();
    await local.write(store, [eventsOf('CA11').legStarted({ startedAt }), call.final()]);
    const { child, exit, errors } = start(['tail', 'CA11']);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    expect(errors()).toBe('Following CA11. Ctrl-C ends.\n');
  });

  test('output without a terminal has no colours, and a wrong command exits with 2', async () => {
    const { exit, errors } = start(['nonsense']);
    expect(await exit).toEqual([2, null]);
    expect(errors()).not.toContain('\u001b');
  });

  test('missing credentials are an error that says which', async () => {
    const { exit, errors } = start(['list', '--table', 'calls'], { AWS_REGION: 'us-east-1' });
    expect(await exit).toEqual([1, null]);
    expect(errors()).toContain('There are no AWS credentials');
  });
});
