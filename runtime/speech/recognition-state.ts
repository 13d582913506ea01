/**
 * One leg's recognition, over all its sessions and sockets:
 *
 *     connecting -> open <-> reconnecting -> finishing -> closed
 *
 * `finishing` begins when no more audio comes, from any state; sockets may still be lost and resumed in it.
 */
export type RecognitionState = 'connecting' | 'open' | 'reconnecting' | 'finishing' | 'closed';

interface StateFacts {
  /** State to be in once a socket is open. */
  readonly onOpened: RecognitionState;
  /** State to be in once the socket is lost. */
  readonly onLost: RecognitionState;
  /** Sends also what is less than a whole chunk, and `stop` behind it. */
  readonly sendsEverything: boolean;
}

export const RECOGNITION_STATES: Readonly<Record<RecognitionState, StateFacts>> = {
  connecting: { onOpened: 'open', onLost: 'reconnecting', sendsEverything: false },
  open: { onOpened: 'open', onLost: 'reconnecting', sendsEverything: false },
  reconnecting: { onOpened: 'open', onLost: 'reconnecting', sendsEverything: false },
  finishing: { onOpened: 'finishing', onLost: 'finishing', sendsEverything: true },
  closed: { onOpened: 'closed', onLost: 'closed', sendsEverything: false },
};
