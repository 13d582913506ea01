import { TwilioError } from './twilio-error';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
}

const NAME = '[A-Za-z_][\\w.-]*';
/** One piece of a document: declaration, comment, CDATA, tag or text. */
const PIECE = new RegExp(
  `<\\?[\\s\\S]*?\\?>|<!--[\\s\\S]*?-->|<!\\[CDATA\\[[\\s\\S]*?\\]\\]>|<(/?)(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>|[^<]+`,
  'gy',
);
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g');
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a document as strictly as an XML parser must, as far as TwiML needs it: elements and attributes.
 * Text between elements is checked and left out. No namespaces, no DOCTYPE.
 * @throws TwilioError 12100 when it is not well formed.
 */
export function parseXml(text: string): XmlElement {
  const document: OpenElement = { name: '', attributes: {}, children: [] };
  const open: OpenElement[] = [document];
  let end = 0;
  for (const piece of text.trim().matchAll(PIECE)) {
    end = piece.index + piece[0].length;
    takePiece(piece, open);
  }
  if (end !== text.trim().length) throw notWellFormed(`at character ${end + 1}`);
  const root = document.children[0];
  if (open.length !== 1) throw notWellFormed(`<${open.at(-1)?.name ?? ''}> is not closed`);
  if (root === undefined || document.children.length !== 1)
    throw notWellFormed('there must be one root element');
  return root;
}

function takePiece(
  [piece, slash, name, attributes, selfClosing]: RegExpExecArray,
  open: OpenElement[],
): void {
  const parent = open.at(-1);
  if (name === undefined) {
    if (!piece.startsWith('<')) checkText(piece, open.length > 1);
  } else if (slash === '/') {
    const closed = open.length > 1 ? open.pop() : undefined;
    if (closed?.name !== name) throw notWellFormed(`</${name}> closes nothing`);
  } else {
    const element: OpenElement = { name, attributes: parseAttributes(attributes ?? ''), children: [] };
    parent?.children.push(element);
    if (selfClosing !== '/') open.push(element);
  }
}

function checkText(text: string, isInsideRoot: boolean): void {
  if (!isInsideRoot && text.trim() !== '') throw notWellFormed('text outside of the root element');
  decodeEntities(text);
}

function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', double, single] of text.matchAll(ATTRIBUTE)) {
    if (Object.hasOwn(attributes, name)) throw notWellFormed(`attribute ${name} is there twice`);
    attributes[name] = decodeEntities(double ?? single ?? '');
  }
  return attributes;
}

function decodeEntities(text: string): string {
  return text.replace(/&([^;&\s]*);?/g, (whole, entity: string) => {
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(entity);
    const codePoint = number?.[1] === undefined ? Number(number?.[2]) : Number.parseInt(number[1], 16);
    const decoded =
      number === null
        ? ENTITIES[entity]
        : codePoint <= 0x10ffff
          ? String.fromCodePoint(codePoint)
          : undefined;
    if (decoded === undefined || !whole.endsWith(';')) throw notWellFormed(`${whole} is no entity`);
    return decoded;
  });
}

function notWellFormed(problem: string): TwilioError {
  return new TwilioError(12100, `Document parse failure: ${problem}`);
}
