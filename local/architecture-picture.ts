import { writeFileSync } from 'node:fs';
import { ARROWS, FRAMES, PARTS, type Arrow, type Frame, type Part } from './architecture/parts';

const PICTURE = 'docs/architecture.svg';
const WIDTH = 1040;
const TOP = 36;
const HEIGHT = 634;
const LINE_HEIGHT = 16;

/** The picture has its own ground, so it can be read on any page; it is dark where the reader's system is. */
const STYLE = `
  text { font-family: -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif; font-size: 12px; fill: #59636e; text-anchor: middle; }
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .frame { fill: none; stroke: #818b98; stroke-dasharray: 2 3; }
  .box { fill: #f6f8fa; stroke: #59636e; }
  .outside { fill: none; stroke: #818b98; }
  .domain { stroke-dasharray: 5 4; }
  .name { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .title, .legend { text-anchor: start; }
  .title { font-weight: 600; }
  .line { fill: none; stroke: #59636e; stroke-width: 1.25; }
  .audio { stroke: #0969da; stroke-width: 2.25; }
  .head { fill: #59636e; }
  .audio-head { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9da7b3; }
    .ground { fill: #0d1117; stroke: #3d444d; }
    .frame, .outside { stroke: #656c76; }
    .box { fill: #151b23; stroke: #9da7b3; }
    .name { fill: #f0f6fc; }
    .line { stroke: #9da7b3; }
    .audio { stroke: #4493f8; }
    .head { fill: #9da7b3; }
    .audio-head { fill: #4493f8; }
  }
`;

const TITLE =
  'Callscript in AWS: Twilio streams calls through CloudFront and a load balancer to the relay tasks, which ' +
  'stream them to Gladia and write the transcripts to DynamoDB';

/** The picture of the architecture, as SVG. */
export function architecturePicture(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${TOP} ${WIDTH} ${HEIGHT}" role="img" aria-label="${TITLE}">`,
    `<style>${STYLE}</style>`,
    `<defs>${marker('head')}${marker('audio-head')}</defs>`,
    `<rect class="ground" x="0.5" y="${TOP + 0.5}" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="12"/>`,
    ...FRAMES.map(frame),
    ...ARROWS.map(arrow),
    ...PARTS.map(part),
    ...legend(),
    '</svg>\n',
  ].join('\n');
}

function marker(id: string): string {
  const shape = `<path class="${id}" d="M0 0 L9 4.5 L0 9 Z"/>`;
  return `<marker id="${id}" markerWidth="9" markerHeight="9" refX="8.5" refY="4.5" orient="auto" markerUnits="userSpaceOnUse">${shape}</marker>`;
}

function frame({ name, area: [x, y, width, height], isTitleBelow = false }: Frame): string {
  const titleY = isTitleBelow ? y + height - 12 : y + 20;
  const outline = `<rect class="frame" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`;
  return `${outline}<text class="title" x="${x + 12}" y="${titleY}">${name}</text>`;
}

function part({ name, notes, area: [x, y, width, height], types, when }: Part): string {
  const middle = x + width / 2;
  const first = y + height / 2 + 4.5 - (notes.length * LINE_HEIGHT) / 2;
  const lines = notes.map(
    (note, index) => `<text x="${middle}" y="${first + (index + 1) * LINE_HEIGHT}">${note}</text>`,
  );
  const kind = types.length === 0 ? 'outside' : `box ${when ?? ''}`.trim();
  const outline = `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
  return `${outline}<text class="name" x="${middle}" y="${first}">${name}</text>${lines.join('')}`;
}

function arrow({ path, label, kind }: Arrow): string {
  const head = kind === 'audio' ? 'audio-head' : 'head';
  const line = `<path class="line ${kind}" d="${path}" marker-end="url(#${head})"/>`;
  if (label === undefined) return line;
  const [text, x, y] = label;
  return `${line}<text x="${x}" y="${y}">${text}</text>`;
}

function legend(): string[] {
  const rows: readonly (readonly [kind: string, text: string])[] = [
    ['audio', 'the way of a word'],
    ['domain', 'with domainName, instead of CloudFront'],
    ['other', 'keys, logs, alarms, requests to Twilio'],
  ];
  return rows.map(([kind, text], index) => {
    const y = 560 + index * 24;
    return `<path class="line ${kind}" d="M188 ${y} L228 ${y}"/><text class="legend" x="240" y="${y + 4}">${text}</text>`;
  });
}

if (require.main === module) writeFileSync(PICTURE, architecturePicture());
