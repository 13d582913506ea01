import { startFleet } from '../../local/fleet';
import { createScriptedRecogniser } from '../../local/gladia/scripted-recogniser';
import { patternedAudio } from './audio';
import { embeddedFormatFaults } from './embedded-metric-format';

const SCRIPT = { channels: [[{ startMs: 100, endMs: 900, text: 'First words.' }]] };

/**
 * Prints what a relay, a process of its own, says at `/metrics` while it has a call, for promtool. Then ends the relay, and
 * holds what it has written to stdout against CloudWatch's format.
 */
async function main(): Promise<void> {
  const recogniser = createScriptedRecogniser(() => SCRIPT);
  const fleet = await startFleet({ size: 1, gladia: { recogniser, limits: { processingMs: 10 } } });
  try {
    const [relay] = fleet.relays;
    if (relay === undefined) throw new Error('the fleet has no relay');
    fleet.call({ audio: { inbound: patternedAudio(60_000), outbound: patternedAudio(60_000, 2) } });
    let text = await relay.scrape();
    for (const until = Date.now() + 30_000; !/^callscript_segments_total [1-9]/m.test(text);) {
      if (Date.now() > until) throw new Error('the call has no segment at /metrics within 30 s');
      await new Promise((resolve) => setTimeout(resolve, 100));
      text = await relay.scrape();
    }
    if (!/^callscript_calls_live 1$/m.test(text)) throw new Error('no call is live at /metrics');
    process.stdout.write(text);
    await fleet.terminate(0);
    const lines = relay.lines.filter((line) => '_aws' in line).map((line) => JSON.stringify(line));
    const faults = lines.flatMap(embeddedFormatFaults);
    if (lines.length === 0 || faults.length > 0)
      throw new Error(`${lines.length} embedded metric lines, with faults: ${faults.join('; ')}`);
  } finally {
    await fleet.close();
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
