import { BASE_CELL } from './cell';
import { median } from './frame-tags';
import { withTrial } from './trial';
import type { Part } from './part';

const STARTS = 5;
const MOST_MS = 1_000;

/** From the start of the process until it takes calls. */
export const START_UP_PART: Part = {
  name: 'start-up',
  what: 'from the start of the process until it takes calls',
  async run({ world, out }) {
    const all: number[] = [];
    for (let i = 0; i < STARTS; i += 1) {
      const cell = { ...BASE_CELL, calls: 1 };
      all.push(await withTrial({ subject: 'relay', cell, world }, ({ startMs }) => Promise.resolve(startMs)));
    }
    const startMs = median(all);
    out(`Started in ${all.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    const verdict = {
      what: 'start-up, median',
      measured: `${startMs.toFixed(0)} ms`,
      target: 'under 1,000 ms',
      holds: startMs < MOST_MS,
    };
    return { verdicts: [verdict], data: all };
  },
};
