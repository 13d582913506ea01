/** The first line of the Dockerfile after FROM: what is older in an image's history belongs to the base image. */
const FIRST_OF_OURS = 'NODE_ENV=production';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** For `history`: a size and a command a line, newest first. */
export const HISTORY_FORMAT = '{{.Size}}\t{{.CreatedBy}}';

/**
 * What the Dockerfile adds to its base image.
 *
 * @param history as `docker history --format HISTORY_FORMAT --no-trunc` prints it; finch and podman do the same
 * @returns bytes, as exact as the tool prints them
 * @throws Error when the history is of another form, or of another Dockerfile
 */
export function appLayerBytes(history: string): number {
  let bytes = 0;
  for (const line of history.trim().split('\n')) {
    const [size = '', createdBy = ''] = line.split('\t');
    bytes += parseSize(size);
    if (createdBy.includes(FIRST_OF_OURS)) return bytes;
  }
  throw new Error(`The image's history has no ${FIRST_OF_OURS}: is runtime/Dockerfile another one?`);
}

function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (number === '' || factor === undefined)
    throw new Error(`The image's history has a size that is none: ${text}`);
  return Number(number) * factor;
}
