/** `created`: no socket yet; `stopping`: no more audio, results are pending; `ended`: its url is dead. */
export type SessionState = 'created' | 'recording' | 'stopping' | 'ended';

/** Why a session came to its end. */
export type SessionEndReason = 'stopped' | 'client-closed' | 'no-audio' | 'lifetime' | 'recogniser-failed';

/** Which state may follow which. */
export const NEXT_STATES: Readonly<Record<SessionState, readonly SessionState[]>> = {
  created: ['recording', 'stopping'],
  recording: ['stopping'],
  stopping: ['ended'],
  ended: [],
};

/** Status of the job behind a session (gladia-live.md, 5). */
export type JobStatus = 'queued' | 'processing' | 'done' | 'error';
