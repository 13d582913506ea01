/** What `node --cpu-prof` writes, as far as it is used. Times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Stack {
  readonly name: string;
  readonly url: string;
  readonly children: Map<string, Stack>;
  us: number;
}

const WIDTH = 1200;
const ROW = 17;
const HEADER = 28;
/** Narrower than this nobody sees it. */
const LEAST_PIXELS = 1;
const LETTER_PIXELS = 6.2;
const NOT_WORK = new Set(['(idle)', '(root)']);
const COLOURS = { node: '#9fb7d0', native: '#c9c9c9', relay: '#f0b46a' } as const;

/**
 * Draws where the time went: each bar is a function, as wide as its share, on top of the bar of who called it.
 * @param window seconds since the profile began: what comes before and after, such as the start of calls, is left out
 */
export function flameGraph(
  profile: CpuProfile,
  { title, window }: { readonly title: string; readonly window: readonly [from: number, to: number] },
): string {
  const root = stacksOf(profile, window);
  const bars: string[] = [];
  const depth = draw(root, { x: 0, level: 0, scale: WIDTH / Math.max(1, root.us) }, bars);
  const height = HEADER + depth * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="4" y="14" font-size="12">${escaped(title)}</text>`,
    ...bars,
    '</svg>\n',
  ].join('\n');
}

function stacksOf({ nodes, samples, timeDeltas }: CpuProfile, [from, to]: readonly [number, number]): Stack {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const root: Stack = { name: 'all', url: '', children: new Map(), us: 0 };
  let atUs = 0;
  samples.forEach((sample, index) => {
    const us = timeDeltas[index] ?? 0;
    atUs += us;
    const leaf = byId.get(sample)?.callFrame.functionName ?? '';
    if (atUs < from * 1e6 || atUs > to * 1e6 || NOT_WORK.has(leaf)) return;
    const path: number[] = [];
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) path.unshift(id);
    let stack = root;
    stack.us += us;
    for (const id of path.slice(1)) {
      const { functionName = '', url = '' } = byId.get(id)?.callFrame ?? {};
      const name = functionName === '' ? '(anonymous)' : functionName;
      const child: Stack = stack.children.get(name) ?? { name, url, children: new Map(), us: 0 };
      stack.children.set(name, child);
      child.us += us;
      stack = child;
    }
  });
  return root;
}

/** @returns levels drawn */
function draw(
  stack: Stack,
  { x, level, scale }: { x: number; level: number; scale: number },
  bars: string[],
): number {
  let deepest = level;
  let left = x;
  const widestFirst = [...stack.children.values()].toSorted((one, other) => other.us - one.us);
  for (const child of widestFirst) {
    const width = child.us * scale;
    if (width < LEAST_PIXELS) continue;
    bars.push(bar(child, { x: left, y: HEADER + level * ROW, width }));
    deepest = Math.max(deepest, draw(child, { x: left, level: level + 1, scale }, bars));
    left += width;
  }
  return stack.children.size === 0 ? level : Math.max(deepest, level + 1);
}

function bar({ name, url, us }: Stack, { x, y, width }: { x: number; y: number; width: number }): string {
  const kind = url === '' ? 'native' : url.startsWith('node:') ? 'node' : 'relay';
  const text = name.slice(0, Math.max(0, Math.floor(width / LETTER_PIXELS)));
  const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.3).toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[kind]}"/>`;
  const label =
    text.length < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(text)}</text>`;
  return `<g><title>${escaped(name)}: ${(us / 1000).toFixed(0)} ms</title>${box}${label}</g>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
