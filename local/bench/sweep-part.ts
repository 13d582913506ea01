import { measurementRow, TABLE_HEAD } from './bench-table';
import { BASE_CELL, nameOf, type Cell, type Subject } from './cell';
import { haproxyVersion } from './haproxy';
import { measure, type Measurement } from './measure';
import type { Part } from './part';

const relay = (over: Partial<Cell>): readonly [Subject, Cell] => ['relay', { ...BASE_CELL, ...over }];

/** One setting at a time is varied. */
const CELLS: readonly (readonly [Subject, Cell])[] = [
  ['net-pipe', BASE_CELL],
  ['haproxy', BASE_CELL],
  ['ws-pipe', BASE_CELL],
  ...[50, 100, 200, 400, 600, 800, 1_000].map((calls) => relay({ calls })),
  relay({ chunkMs: 40 }),
  relay({ chunkMs: 100 }),
  relay({ tracks: 2 }),
  relay({ tls: true }),
  relay({ tracks: 2, tls: true }),
  ['ws-pipe', { ...BASE_CELL, calls: 600, chunkMs: 100 }],
  relay({ calls: 600, chunkMs: 100 }),
  relay({ calls: 1_000, chunkMs: 100 }),
];

/** What a call costs, by number of calls, length of chunk, tracks and TLS; and what it costs the references. */
export const SWEEP_PART: Part = {
  name: 'sweep',
  what: 'what a call costs, by load and settings',
  async run({ options, world, out }) {
    const measured: Measurement[] = [];
    out(TABLE_HEAD);
    for (const [subject, cell] of CELLS) {
      if (subject === 'haproxy' && haproxyVersion() === undefined) {
        out('HAProxy is not installed: not measured');
      } else if (cell.tls && world.certificate === undefined) {
        out(`There is no openssl: not measured: ${nameOf(cell)}`);
      } else {
        const each = await measure({ subject, cell, world }, options);
        out(measurementRow(each));
        measured.push(each);
      }
    }
    return { verdicts: [], data: measured };
  },
};
