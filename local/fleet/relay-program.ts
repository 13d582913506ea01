import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(__dirname, '../..');
const BUNDLE = join(ROOT, 'runtime/dist/main.js');
const SOURCES = join(ROOT, 'runtime');

/**
 * What Node runs for a relay: the bundle, which starts faster, when it is there and no source is newer; else the
 * sources.
 */
export function relayProgram(): readonly string[] {
  if (existsSync(BUNDLE) && statSync(BUNDLE).mtimeMs >= newestSourceMs()) return [BUNDLE];
  // By its own place: the process runs in another directory.
  return ['--import', pathToFileURL(require.resolve('tsx')).href, join(SOURCES, 'main.ts')];
}

function newestSourceMs(): number {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  return Math.max(...sources.map((file) => statSync(join(SOURCES, file)).mtimeMs));
}
