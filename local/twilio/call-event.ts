import type { StreamEvent } from './status-callback';
import type { StreamFaultCode } from './stream-faults';

/** What happens to one media stream, in the order in which it happens. */
export type MediaStreamEvent =
  | { readonly type: 'stream-open' }
  /** The handshake failed; `status` is the HTTP status when one came. */
  | { readonly type: 'refused'; readonly code: StreamFaultCode; readonly status?: number }
  /** `start` has been sent. */
  | { readonly type: 'started' }
  /** `stop` has been sent. */
  | { readonly type: 'stopped' }
  | { readonly type: 'closed'; readonly code: number }
  | { readonly type: 'fault'; readonly code: StreamFaultCode; readonly level: 'error' | 'warning' };

/** What happens to a call. */
export type CallEvent =
  | MediaStreamEvent
  /** The voice webhook answered with TwiML. */
  | {
      readonly type: 'webhook';
      readonly status: number;
      readonly body: string;
      readonly verbsAfter: readonly string[];
    }
  /** A status callback was answered, or not at all when there is no status. */
  | { readonly type: 'callback'; readonly streamEvent: StreamEvent; readonly status?: number };
