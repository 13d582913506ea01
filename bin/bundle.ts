import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = join(__dirname, '..');

/** What `runtime/Dockerfile` copies, with what lies beside it. */
const BUNDLE = join(ROOT, 'runtime', 'dist', 'main.js');
/** Read only where it is used, so it is no part of the rest. As `relay.ts` names it. */
const LOADED_LATER = './tracing/otlp-exporter';

/**
 * The relay and its libraries as one file, and one for traces beside it, so that the image needs no `npm ci` and no emulation. The same sources give
 * the same bytes, and those are not written again: a deployment without a change uploads no image. Not minified, so
 * that stack traces can be read.
 *
 * @param file where to
 * @throws when a source does not build; esbuild has then said why on stderr
 */
export function bundleRelay(file = BUNDLE): void {
  bundle('runtime/main.ts', file);
  bundle(join('runtime', `${LOADED_LATER}.ts`), resolve(dirname(file), `${LOADED_LATER}.js`));
}

function bundle(entryPoint: string, file: string): void {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entryPoint],
    external: [LOADED_LATER],
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
