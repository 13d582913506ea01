import { existsSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = '@moonshine-ai/moonshine-js';
const MODEL_FOLDER = 'dist/model/tiny/quantized';
const FILES = ['encoder_model.onnx', 'decoder_model_merged.onnx'];

/**
 * Folder of the Moonshine tiny model inside its npm package. The package exports its code only, so the folder is
 * looked up along the module search paths.
 * @throws when the package or a model file is missing, naming what to install.
 */
export function findMoonshineFolder(
  searchPaths: readonly string[] = require.resolve.paths(PACKAGE) ?? [],
): string {
  const folders = searchPaths.map((path) => join(path, PACKAGE, MODEL_FOLDER));
  const found = folders.find((folder) => FILES.every((file) => existsSync(join(folder, file))));
  if (found !== undefined) return found;
  throw new Error(
    `the Moonshine model is missing: ${FILES.join(' and ')} were not found in node_modules/${PACKAGE}/${MODEL_FOLDER}. ` +
      `Install ${PACKAGE} at exactly 0.1.29 with npm ci (development dependencies included), or use the scripted recogniser.`,
  );
}
