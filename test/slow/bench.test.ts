import { certificateFor } from '../../local/bench/certificate';
import { BASE_CELL } from '../../local/bench/cell';
import { takeCores } from '../../local/bench/cores';
import { median } from '../../local/bench/frame-tags';
import { measure } from '../../local/bench/measure';
import { startStore } from '../../local/bench/start-store';
import { bundleRelay } from '../../bin/bundle';

/** Far above what a quiet machine shows: this one is shared, and short. */
const MOST_CPU_RATIO = 1.3;
const PAIRS = 3;
const CELL = { ...BASE_CELL, calls: 100 };
const DURATIONS = { warmUpMs: 8_000, measureMs: 8_000 };

test('a call costs hardly more CPU than the bare pipe takes, and no frame is lost', async () => {
  bundleRelay();
  const cores = takeCores();
  const store = await startStore();
  const world = { cores, certificate: certificateFor('.local/bench'), storeEndpoint: store.endpoint };
  const ratios: number[] = [];
  for (let i = 0; i < PAIRS; i += 1) {
    const pipe = await measure({ subject: 'ws-pipe', cell: CELL, world }, DURATIONS);
    const relay = await measure({ subject: 'relay', cell: CELL, world }, DURATIONS);
    expect(relay.frames.received).toBe(relay.frames.sent);
    expect(relay.frames.misplaced).toBe(0);
    expect(relay.calls).toEqual({ refused: 0, lost: 0 });
    ratios.push(relay.cpuMsPerCallSecond / pipe.cpuMsPerCallSecond);
  }
  store.end();
  expect(median(ratios)).toBeLessThan(MOST_CPU_RATIO);
});
