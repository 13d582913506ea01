import { readFileSync, writeFileSync } from 'node:fs';
import { SETTINGS, type SettingName } from '../runtime/contract/settings';

const README = 'README.md';
const BEGIN = '<!-- settings: npm run settings-table -->';
const END = '<!-- end of settings -->';

/** The README's table of settings, made from the contract. */
function settingsTable(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { where, allowed, fallback = '', meaning } = SETTINGS[name];
    const shown = fallback === '' ? '' : `\`${fallback}\``;
    return `| \`${name}\` | ${where} | ${shown} | ${meaning}. Allowed: ${allowed.replaceAll('<', '&lt;')} |`;
  });
  return ['| setting | where | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The README with its table as the contract has it. @throws Error when the markers are gone */
export function withSettingsTable(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from === -1 || to < from)
    throw new Error(`${README}: the lines ${BEGIN} and ${END} must be there, in this order`);
  return `${readme.slice(0, from)}${BEGIN}\n\n${settingsTable()}\n\n${readme.slice(to)}`;
}

if (require.main === module) writeFileSync(README, withSettingsTable(readFileSync(README, 'utf8')));
