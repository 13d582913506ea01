import type { OddMessage } from './faults';

const HUGE_CHARACTERS = 4 * 1024 * 1024;

/** Messages that no contract knows, as text frames. The shape of an error frame is UNKNOWN (gladia-live.md, 3.7). */
export function oddMessageText(message: OddMessage): string {
  switch (message) {
    case 'malformed-json':
      return '{"type":"transcript","data":';
    case 'unknown-type':
      return JSON.stringify({ type: 'weather_report', data: { sky: 'clear' } });
    case 'error-frame':
      return JSON.stringify({
        type: 'error',
        data: { code: 'internal_error', message: 'Something went wrong' },
      });
    case 'huge-message':
      return JSON.stringify({
        type: 'post_transcript',
        data: { full_transcript: 'word '.repeat(HUGE_CHARACTERS / 5) },
      });
  }
}
