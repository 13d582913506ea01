import { Secret } from '../../runtime/model/secret';
import type { LegRecord } from '../../runtime/store/live-leg';
import { trackLedger } from './transcript-events';

/** A live leg as a task checkpoints it. */
export function legRecord(more: Partial<LegRecord> = {}): LegRecord {
  return {
    callSid: 'CA0a',
    streamSid: 'MZ1',
    accountSid: 'AC1',
    taskId: 'task-1',
    tracks: ['inbound', 'outbound'],
    parameters: { from: '+15005550006', language: 'en' },
    startedAt: '2026-11-21T10:00:00.000Z',
    legOriginAt: '2026-11-21T10:00:00.100Z',
    originAt: '2026-11-21T10:00:00.100Z',
    session: {
      sessionId: 'session-1',
      sessionNumber: 1,
      url: new Secret('wss://speech.example/live?token=abc'),
      baseMs: 0,
    },
    attempts: 0,
    isStopping: false,
    ledger: { inbound: trackLedger(), outbound: trackLedger({ lostMs: { 'backlog-overflow': 20 } }) },
    savedAt: '2026-11-21T10:01:00.000Z',
    ...more,
  };
}
