import { clockTime } from '../../runtime/sinks/console-sink';
import type { CallItem, SegmentItem, StoredCall } from '../../runtime/store/stored-call';
import { callLegs, type CallLeg } from './call-legs';
import { joinGaps, type JoinedGap } from './join-gaps';
import { renderLatency } from './render-latency';
import { renderLedger, type RenderOptions } from './render-ledger';
import { renderLegs } from './render-legs';
import { createStyled, type Styled, type TextStyle } from './text-style';

const SPEAKER_COLUMNS = 8;
const SPEAKER_STYLES: Readonly<Record<string, TextStyle>> = { customer: 'cyan', agent: 'magenta' };

/** A stored call for people: who and when, every line in its place in time, the audio ledger, the latency. */
export function renderCall(stored: StoredCall, options: RenderOptions): string[] {
  const { call } = stored;
  return [
    ...renderHeader(call, options),
    ...paragraph(renderLegs(callLegs(call))),
    '',
    ...renderConversation(stored, options),
    ...(call.ledger === undefined ? [] : ['', ...renderLedger(call.ledger, options, stored.gaps)]),
    ...paragraph(renderLatency(call)),
  ];
}

function paragraph(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function renderHeader(call: CallItem, { color }: RenderOptions): string[] {
  const styled = createStyled(color);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['from', call.from ?? 'unknown'],
    ['to', call.to ?? 'unknown'],
    ['direction', call.direction ?? 'unknown'],
    ['started', call.startedAt],
    ['duration', callDuration(call)],
    ['status', call.endReason === undefined ? call.status : `${call.status ?? ''} (${call.endReason})`],
    ['failure', call.failure],
    ['summary', call.summary],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(10)} ${value}`]));
  return [styled('bold', `Call ${call.callSid}`), ...lines];
}

/** From the first to the last word of Twilio about the call, or undefined while it lives. */
export function callDuration({ startedAt, endedAt }: CallItem): string | undefined {
  if (startedAt === undefined || endedAt === undefined) return undefined;
  const ms = Date.parse(endedAt) - Date.parse(startedAt);
  return Number.isFinite(ms) && ms >= 0 ? clockTime(ms) : undefined;
}

/** Segments, gaps and the beginnings of further legs, in order of time. */
export function renderConversation({ call, segments, gaps }: StoredCall, { color }: RenderOptions): string[] {
  const styled = createStyled(color);
  const entries: { startMs: number; lines: string[] }[] = [
    ...callLegs(call)
      .slice(1)
      .map((leg) => ({ startMs: leg.startMs ?? Infinity, lines: [legLine(leg, styled)] })),
    ...segments.map((segment) => ({ startMs: segment.startMs, lines: segmentLines(segment, styled) })),
    ...joinGaps(gaps).map((gap) => ({ startMs: gap.startMs, lines: [gapLine(gap, styled)] })),
  ];
  if (segments.length + gaps.length === 0) return ['Nothing was said, or nothing is stored yet.'];
  return entries.sort((one, other) => one.startMs - other.startMs).flatMap(({ lines }) => lines);
}

/** `00:12.3  customer  text`, and its translations under it. What two legs heard says so in its second place. */
export function segmentLines(segment: SegmentItem, styled: Styled): string[] {
  const { startMs, speaker = '?', text, translation = {} } = segment;
  const start = `${clockTime(startMs)}  ${speaker.padEnd(SPEAKER_COLUMNS)}  `;
  const translations = Object.entries(translation).map(([language, words]) =>
    styled('dim', `${' '.repeat(start.length)}${language}: ${words}`),
  );
  const overlap = segment.overlap === true ? styled('dim', ' (overlap: another leg heard this, too)') : '';
  return [styled(SPEAKER_STYLES[speaker] ?? 'reset', start) + text + overlap, ...translations];
}

function legLine({ number, startMs = 0 }: CallLeg, styled: Styled): string {
  return styled('dim', `${clockTime(startMs)}  ${'leg'.padEnd(SPEAKER_COLUMNS)}  ${number} begins`);
}

function gapLine({ startMs, endMs, tracks, cause }: JoinedGap, styled: Styled): string {
  const length = ((endMs - startMs) / 1000).toFixed(1);
  const of = tracks.length === 0 ? 'audio' : tracks.join(' and ');
  const text = `${clockTime(startMs)}  ${'gap'.padEnd(SPEAKER_COLUMNS)}  ${length} s of ${of} are not transcribed`;
  return styled('yellow', cause === undefined ? text : `${text} (${cause})`);
}
