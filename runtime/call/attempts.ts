/** `<Parameter>` that counts the streams that were made for a call one after the other because the one before was lost. */
export const ATTEMPT_PARAMETER = 'attempt';
/** A call whose streams are lost so often in a row is not helped by another one. */
export const MOST_ATTEMPTS = 10;

export function attemptOf(parameters: Readonly<Record<string, string>>): number {
  const attempt = Number(parameters[ATTEMPT_PARAMETER] ?? 0);
  return Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 0;
}
