import { styleText } from 'node:util';

export type TextStyle = Parameters<typeof styleText>[0];

/** Text with a style, or as it is where colours are not wanted. */
export type Styled = (style: TextStyle, text: string) => string;

export function createStyled(color: boolean): Styled {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

/** Only for people: on a terminal, unless `NO_COLOR` says otherwise. */
export function wantsColor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'];
}
