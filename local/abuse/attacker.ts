import { playWave, type WaveOptions } from './wave';

/** A program: plays the wave that its one argument describes as JSON, and prints its report as JSON. */
async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '{}') as WaveOptions;
  process.stdout.write(`${JSON.stringify(await playWave(options))}\n`);
}

void main();
