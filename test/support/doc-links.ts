import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every link of a page, but for those to other sites, leads to a file and a heading that are there. @param page a path */
export function expectLinks(page: string, { moreThan }: { readonly moreThan: number }): void {
  const text = readFileSync(page, 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  expect(links.length).toBeGreaterThan(moreThan);
  for (const [, path = '', heading] of links) {
    const file = path === '' ? page : join(page, '..', path);
    expect([file, existsSync(file)]).toEqual([file, true]);
    if (heading !== undefined) expect(headingsOf(file)).toContain(heading);
  }
}

/** As GitHub names their anchors. */
function headingsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/ /g, '-'),
  );
}
