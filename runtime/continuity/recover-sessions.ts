import type { RecoveredSession } from '../speech/orphaned-session';
import type { UnreconciledSession } from '../store/lease-store';
import type { FoundSession } from './orphan-books';

/** Ends a session whose process is gone and fetches what it came to. Never rejects. */
export type RecoverSession = (session: UnreconciledSession) => Promise<RecoveredSession>;

/**
 * All of them at once.
 * @returns undefined when the signal has aborted: what was found by then says nothing of what the service has
 */
export async function recoverSessions(
  sessions: readonly UnreconciledSession[],
  recoverSession: RecoverSession,
  signal: AbortSignal,
): Promise<readonly FoundSession[] | undefined> {
  const found = await Promise.all(
    sessions.map(async (session) => ({ session, found: await recoverSession(session) })),
  );
  return signal.aborted ? undefined : found;
}
