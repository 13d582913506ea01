import { appLayerBytes } from '../../../local/image/image-layers';

const row = (size: string, createdBy: string): string => `${size}\t${createdBy}\n`;
const BASE = row('148MB', '/bin/sh -c #(nop) CMD ["node"]');

test.each([
  ['docker', '0B', '2.6MB', 2_600_000],
  ['podman', '0 B', '2.6 MB', 2_600_000],
  ['finch', '0.0 B', '2.5 MiB', 2.5 * 1024 ** 2],
  ['bytes alone', '0', '2599316', 2_599_316],
])('the sizes that %s prints are added up to the base image', (_tool, none, size, expected) => {
  const history =
    row(none, 'ENTRYPOINT ["node", "main.js"]') +
    row(size, 'COPY dist/main.js ./ # buildkit') +
    row('1kB', 'WORKDIR /relay') +
    row(none, 'ENV NODE_ENV=production') +
    BASE;
  expect(appLayerBytes(history)).toBe(expected + 1_000);
});

test('a history without our first line is an error, not a small image', () => {
  expect(() => appLayerBytes(BASE)).toThrow(/runtime\/Dockerfile/);
});

test('a size that is none is an error', () => {
  expect(() => appLayerBytes(row('<missing>', 'ENV NODE_ENV=production'))).toThrow(/<missing>/);
});
