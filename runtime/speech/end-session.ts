import type { SessionGrant, SpeechProvider, SpeechSocket } from './speech-provider';

/** Ends a session that has no socket, as well as can be: it holds one of the account's places. */
export function endSession(provider: SpeechProvider, grant: SessionGrant): void {
  const ignore = (): void => undefined;
  const socket: SpeechSocket = provider.connect(grant, {
    opened: () => socket.close('end'),
    acknowledged: ignore,
    heard: ignore,
    closed: ignore,
  });
}
