import type { CallItem } from '../../runtime/store/stored-call';
import { callDuration } from './render-call';
import { textTable } from './text-table';

const COLUMNS = [
  { title: 'STARTED (UTC)' },
  { title: 'CALL' },
  { title: 'FROM' },
  { title: 'TO' },
  { title: 'DIRECTION' },
  { title: 'DURATION', align: 'right' },
  { title: 'SEGMENTS', align: 'right' },
  { title: 'STATUS' },
] as const;

/** Calls for people, a line each. */
export function renderList(calls: readonly CallItem[]): string[] {
  return textTable(
    COLUMNS,
    calls.map((call) => [
      (call.startedAt ?? '').slice(0, 19).replace('T', ' '),
      call.callSid,
      call.from ?? 'unknown',
      call.to ?? 'unknown',
      call.direction ?? 'unknown',
      callDuration(call) ?? '',
      call.segmentCount === undefined ? '' : String(call.segmentCount),
      call.failure === undefined ? (call.status ?? '') : `${call.status ?? ''}, failed: ${call.failure}`,
    ]),
  );
}
