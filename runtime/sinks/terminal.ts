import { endOfText, wrapText } from './wrap-text';

/** What a terminal needs of a stream. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const STYLES = {
  dim: '2',
  bold: '1',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
} as const;
export type Style = keyof typeof STYLES;

const ERASE_BELOW = '\x1b[0J';
const PLAIN_COLUMNS = 80;
/** A narrower column of text is harder to read than a line that the terminal breaks. */
const LEAST_TEXT_COLUMNS = 12;

interface LiveLine {
  readonly head: string;
  readonly text: string;
}

/**
 * Lines that stay, and below them a few that change in place. Where the output is no terminal, only the lines that stay
 * are written, without colours; `NO_COLOR` takes the colours away from a terminal.
 */
export class Terminal {
  readonly #output: TerminalOutput;
  readonly #hasColour: boolean;
  readonly #live = new Map<string, LiveLine>();
  #liveLines = 0;

  constructor(output: TerminalOutput, environment: { readonly NO_COLOR?: string | undefined }) {
    this.#output = output;
    this.#hasColour = this.isInteractive && (environment.NO_COLOR ?? '') === '';
  }

  get isInteractive(): boolean {
    return this.#output.isTTY === true;
  }

  get hasColour(): boolean {
    return this.#hasColour;
  }

  styled(text: string, ...styles: readonly Style[]): string {
    if (!this.#hasColour || text === '') return text;
    return `\x1b[${styles.map((style) => STYLES[style]).join(';')}m${text}\x1b[0m`;
  }

  /** Writes a line (or several) that stays. */
  line(text = ''): void {
    this.#draw(`${text}\n`);
  }

  /** Writes text that stays after its head. A terminal breaks it between words and puts every line under the first. */
  entry(head: string, text: string, ...styles: readonly Style[]): void {
    const columns = this.#columns - head.length;
    const lines = this.isInteractive && columns >= LEAST_TEXT_COLUMNS ? wrapText(text, columns) : [text];
    this.line(this.styled(head, ...styles) + lines.join(`\n${' '.repeat(head.length)}`));
  }

  /**
   * Sets, changes or, without text, removes a line that changes in place. Plain text: a line that is wider than the
   * terminal keeps its head and the end of its text, which is the newest.
   */
  live(key: string, text: string | undefined, head = ''): void {
    if (!this.isInteractive) return;
    if (text === undefined) this.#live.delete(key);
    else this.#live.set(key, { head, text });
    this.#draw('');
  }

  #draw(lasting: string): void {
    if (!this.isInteractive) {
      this.#output.write(lasting);
      return;
    }
    const up = this.#liveLines === 0 ? '' : `\x1b[${this.#liveLines}A\r`;
    const live = [...this.#live.values()].map((line) => `${this.styled(this.#fit(line), 'dim')}\n`).join('');
    this.#liveLines = this.#live.size;
    this.#output.write(`${up}${ERASE_BELOW}${lasting}${live}`);
  }

  /** One less than there are: some terminals go to the next line once the last column is full. */
  get #columns(): number {
    return (this.#output.columns ?? PLAIN_COLUMNS) - 1;
  }

  #fit({ head, text }: LiveLine): string {
    return (head + endOfText(text, this.#columns - head.length)).slice(0, this.#columns);
  }
}
