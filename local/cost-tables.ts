import { readFileSync, writeFileSync } from 'node:fs';
import { callLines, callUsd } from './costs/call-cost';
import {
  EGRESSES,
  ENDPOINTS,
  idleUsd,
  ownLines,
  sharedLines,
  sum,
  type Endpoint,
  type StackName,
} from './costs/idle-cost';
import { PRICES, type Price } from './costs/prices';

const PAGE = 'docs/costs.md';

const TABLES: Readonly<Record<string, () => string>> = {
  summary,
  shared,
  own,
  call,
  prices,
};

function summary(): string {
  const row = (endpoint: Endpoint, stack?: StackName): string[] =>
    EGRESSES.map((egress) => dollars(idleUsd(endpoint, egress, stack), stack === undefined ? 0 : 2));
  const totals = ENDPOINTS.map((endpoint) => [endpoint, ...row(endpoint).map((usd) => `**$${usd}**`)]);
  const store = row('CloudFront', 'CallscriptStore').map((usd) => `$${usd}`);
  const head = ['both stacks', ...EGRESSES.map((egress) => `egress \`${egress}\``)];
  return table(head, [...totals, ['of it, `CallscriptStore`', ...store]]);
}

function shared(): string {
  const lines = sharedLines();
  const rows = lines.map(({ stack, what, howMany, usd }) => [`\`${stack}\``, what, howMany, dollars(usd, 2)]);
  return table(
    ['stack', 'what', 'how many', '$ a month'],
    [...rows, ['together', '', '', dollars(sum(lines), 2)]],
  );
}

function own(): string {
  const rows = ENDPOINTS.flatMap((endpoint) =>
    EGRESSES.map((egress) => {
      const lines = ownLines(endpoint, egress);
      const parts = lines.map(({ what, howMany }) => `${howMany} × ${what}`).join(', ');
      return [
        endpoint,
        `\`${egress}\``,
        parts,
        dollars(sum(lines), 2),
        dollars(idleUsd(endpoint, egress), 2),
      ];
    }),
  );
  return table(['endpoint', 'egress', 'adds', '$ a month', 'with all above'], rows);
}

function call(): string {
  const rows = callLines().map(({ who, what, usd }) => [who, what, ...usd.map((each) => dollars(each, 4))]);
  const sums = (['Gladia', 'Twilio', 'AWS', undefined] as const).map((who) => [
    `**${who ?? 'all'}**`,
    '',
    ...callUsd(who).map((each) => `**${dollars(each, 2)}**`),
  ]);
  return table(['to', 'for', 'one track', 'two tracks'], [...rows, ...sums]);
}

function prices(): string {
  const rows = Object.values<Price>(PRICES).map(({ what, usd, per, page, read, isQuoted }) => [
    `[${what}](${page})`,
    `$${usd}`,
    per,
    read,
    isQuoted ? '' : '**not confirmed**',
  ]);
  return table(['price of', 'is', 'per', 'read', ''], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function dollars(usd: number, digits: number): string {
  return usd.toFixed(digits);
}

/** The page with its tables made anew from the prices. @throws Error when a table's markers are gone */
export function withCostTables(page: string): string {
  return Object.entries(TABLES).reduce((text, [name, content]) => {
    const begin = `<!-- table: ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf('<!-- end -->', from);
    if (from === -1 || to === -1) throw new Error(`${PAGE}: "${begin}" and "<!-- end -->" must be there`);
    return `${text.slice(0, from)}${begin}\n\n${content()}\n\n${text.slice(to)}`;
  }, page);
}

if (require.main === module) writeFileSync(PAGE, withCostTables(readFileSync(PAGE, 'utf8')));
