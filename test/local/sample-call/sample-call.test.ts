import { readFileSync } from 'node:fs';
import { decodeMuLaw } from '../../../local/audio/mu-law';
import { loadSampleCall, SAMPLE_CALL_FILES, type ScriptTurn } from '../../../local/sample-call/sample-call';
import { speak } from '../../../local/sample-call/voice';

const call = loadSampleCall();

function loudest(audio: Buffer): number {
  return decodeMuLaw(audio).reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}

describe('the sample call', () => {
  it('lasts 40 to 60 s and has two sides of the same length, in whole frames', () => {
    expect(call.durationMs).toBeGreaterThanOrEqual(40_000);
    expect(call.durationMs).toBeLessThanOrEqual(60_000);
    expect(call.outbound).toHaveLength(call.inbound.length);
    expect(call.inbound.length % 160).toBe(0);
  });

  it('says what the script says, in its order', () => {
    const script = JSON.parse(readFileSync(SAMPLE_CALL_FILES.script, 'utf8')) as ScriptTurn[];
    expect(call.turns.map(({ track, text }) => ({ track, text }))).toEqual(
      script.map(({ track, text }) => ({ track, text })),
    );
  });

  it('has a voice where the timings say so, and on the other side silence', () => {
    for (const { track, startMs, endMs } of call.turns) {
      const other = track === 'inbound' ? call.outbound : call.inbound;
      expect(loudest(call[track].subarray(startMs * 8, endMs * 8))).toBeGreaterThan(4000);
      expect(other.subarray(startMs * 8, endMs * 8).every((byte) => byte === 0xff)).toBe(true);
    }
  });

  it('never lets one person talk into the other, and keeps turns under ten seconds', () => {
    call.turns.forEach((turn, n) => {
      expect(turn.startMs - (call.turns[n - 1]?.endMs ?? 0)).toBeGreaterThanOrEqual(400);
      expect(turn.endMs - turn.startMs).toBeLessThan(10_000);
    });
    expect(call.turns.at(-1)?.endMs).toBeLessThan(call.durationMs);
  });
});

describe('speaking a turn', () => {
  it('says how to install flite when it is missing', () => {
    expect(() => speak('Hello.', { name: 'rms', command: 'flite-that-is-not-there' })).toThrow(
      'flite-that-is-not-there is not installed, and the sample call is spoken by it. Install it with: sudo apt-get install flite',
    );
  });
});
