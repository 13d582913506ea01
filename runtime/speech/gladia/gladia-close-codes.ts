import type { SocketDecision } from '../speech-provider';

/**
 * What a close code asks for (gladia-live.md, 2.5). Gladia publishes no list: 1000 is the end, 4400 to 4499 read as
 * HTTP 4xx, and everything else, 1001 and 1006 included, is a drop that the same URL may heal.
 */
export function decisionForCloseCode(code: number): SocketDecision {
  if (code === 1000) return 'done';
  return code >= 4400 && code <= 4499 ? 'new-session' : 'resume';
}

/** What a refused upgrade asks for: a 4xx will not heal, but for a rate limit (gladia-live.md, 2.5). */
export function decisionForUpgradeStatus(status: number): SocketDecision {
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'new-session' : 'resume';
}
