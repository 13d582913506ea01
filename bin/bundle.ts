import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = join(__dirname, '..');

/** What `runtime/Dockerfile` copies. */
const BUNDLE = join(ROOT, 'runtime', 'dist', 'main.js');

/**
 * The relay and its libraries as one file, so that the image needs no `npm ci` and no emulation. The same sources give
 * the same bytes, and those are not written again: a deployment without a change uploads no image. Not minified, so
 * that stack traces can be read.
 *
 * @param file where to
 * @throws when a source does not build; esbuild has then said why on stderr
 */
export function bundleRelay(file = BUNDLE): void {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['runtime/main.ts'],
    outfile: file,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    charset: 'utf8',
    legalComments: 'eof',
    logLevel: 'warning',
  });
  for (const { path, contents } of outputFiles) writeWhole(path, contents);
}

/** Whoever reads the file meanwhile, such as another synth, gets the old one or the new one, never half of one. */
function writeWhole(file: string, contents: Uint8Array): void {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, contents);
  renameSync(draft, file);
}

if (require.main === module) bundleRelay();
