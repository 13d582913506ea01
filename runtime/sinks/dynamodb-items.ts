import {
  CALL_ITEM_KEY,
  dayShard,
  gapKey,
  resultKey,
  segmentKey,
  sessionKey,
  TTL_ATTRIBUTE,
} from '../contract/transcripts-table';
import type {
  CallParties,
  LatencySummary,
  LegId,
  SegmentAddOn,
  TranscriptEvent,
} from '../model/transcript-event';
import type { Attributes, ItemKey, ItemUpdate, StoreWrite } from '../store/store-write';
import { callTotals } from './call-totals';
import { segmentAttributes } from './segment-attributes';

export interface ItemOptions {
  /** Seconds since 1970 at which DynamoDB may delete what is written now. */
  readonly expiresAt: number;
  /** Stores the words of each segment. */
  readonly storeWords: boolean;
  /**
   * Segments get add-ons, which a final that is written twice, or late, must not wipe: so it is written only where
   * there is none. Without add-ons a final replaces the whole item, which is cheaper.
   */
  readonly keepsStored?: boolean;
  /** How long the call's finals took to the table; for the end of the call. */
  readonly storeLatency?: LatencySummary;
}

type EventOf<Type extends TranscriptEvent['type']> = Extract<TranscriptEvent, { type: Type }>;

/** A summary up to this size is part of the call item, which is read and written often. */
const CALL_SUMMARY_BYTES = 4096;

/**
 * What one event writes. Nothing, for a partial: only finals are stored.
 *
 * Events of a call come in order, but one may come twice, or late from a process that was thought dead: every update
 * carries the condition under which it is news, so that it never undoes what came after it.
 */
export function eventToWrites(event: TranscriptEvent, options: ItemOptions): readonly StoreWrite[] {
  switch (event.type) {
    case 'leg-started':
      return [{ type: 'update', update: legStarted(event, options) }];
    case 'audio-started':
      return [{ type: 'update', update: audioStarted(event, options) }];
    case 'call-described':
      return callDescribed(event).map((update) => ({ type: 'update', update }));
    case 'session-opened':
      return [{ type: 'update', update: sessionOpened(event, options) }];
    case 'session-closed':
      return [{ type: 'update', update: sessionClosed(event, options) }];
    case 'partial':
      return [];
    case 'final':
      return [final(event, options)];
    case 'add-on':
      return addOnUpdates(event).map((update) => ({ type: 'update', update }));
    case 'summary':
      return [{ type: 'update', update: summary(event, options) }];
    case 'heard-twice':
      return [{ type: 'update', update: heardTwice(event) }];
    case 'gap':
      return [gap(event, options)];
    case 'leg-ended':
      return [{ type: 'update', update: legEnded(event, options) }];
    case 'call-ended':
      return [{ type: 'update', update: callEnded(event, options) }];
  }
}

function callKey(callSid: string): ItemKey {
  return { callSid, itemKey: CALL_ITEM_KEY };
}

/** Attributes for what is known; an index does not list a call by a number nobody told. */
function partiesKnown(parties: CallParties): Attributes {
  return {
    from: known(parties.from),
    to: known(parties.to),
    direction: known(parties.direction),
  };
}

function known(value: string | undefined): string | undefined {
  return value === '' || value === 'unknown' ? undefined : value;
}

function legStarted(event: EventOf<'leg-started'>, options: ItemOptions): ItemUpdate {
  const { callSid, streamSid, accountSid, startedAt, tracks, parties } = event;
  const key = callKey(callSid);
  const leg = { startedAt, tracks: [...tracks] };
  const setIfAbsent = {
    accountSid,
    startedAt,
    dayShard: dayShard(startedAt, callSid),
    ...partiesKnown(parties),
  };
  const set = { [TTL_ATTRIBUTE]: options.expiresAt };
  const newLeg = { path: ['legs', streamSid], value: leg } as const;
  return {
    key,
    set: { ...set, status: 'in-progress', legs: { [streamSid]: leg } },
    setIfAbsent,
    condition: { all: [{ absent: 'legs' }, { absent: 'endedAt' }] },
    otherwise: {
      key,
      set: { ...set, status: 'in-progress' },
      setIfAbsent,
      setEntry: newLeg,
      // A call that was taken for over goes on with a leg that started after its end.
      remove: ['endedAt', 'endReason'],
      condition: {
        all: [
          { exists: 'legs' },
          { absent: newLeg.path },
          { any: [{ absent: 'endedAt' }, { attribute: 'endedAt', is: '<', value: startedAt }] },
        ],
      },
    },
    whenRefused: 'ignore',
  };
}

function audioStarted(event: EventOf<'audio-started'>, options: ItemOptions): ItemUpdate {
  const { callSid, originAt } = event;
  return {
    key: callKey(callSid),
    set: { originAt, [TTL_ATTRIBUTE]: options.expiresAt },
    // The first leg may learn that its audio was said earlier than it came.
    condition: { any: [{ absent: 'originAt' }, { attribute: 'originAt', is: '>', value: originAt }] },
    whenRefused: 'ignore',
  };
}

function callDescribed(event: EventOf<'call-described'>): readonly ItemUpdate[] {
  const set = partiesKnown(event.parties);
  if (Object.values(set).every((value) => value === undefined)) return [];
  return [{ key: callKey(event.callSid), set, condition: { exists: 'startedAt' }, whenRefused: 'ignore' }];
}

function sessionOpened(event: EventOf<'session-opened'>, options: ItemOptions): ItemUpdate {
  const { callSid, streamSid, sessionId, sessionNumber, baseMs } = event;
  return {
    key: { callSid, itemKey: sessionKey(streamSid, sessionNumber) },
    set: {
      streamSid,
      sessionId,
      sessionNumber,
      baseMs,
      status: 'open',
      reconciled: false,
      // A bearer token: here only while somebody may have to take the session over.
      url: event.url.reveal(),
      [TTL_ATTRIBUTE]: options.expiresAt,
    },
    condition: { absent: 'status' },
    whenRefused: 'ignore',
  };
}

function sessionClosed(event: EventOf<'session-closed'>, options: ItemOptions): ItemUpdate {
  const { callSid, streamSid, sessionId, sessionNumber, reconciled, facts, mayBeOpen } = event;
  return {
    key: { callSid, itemKey: sessionKey(streamSid, sessionNumber) },
    set: {
      streamSid,
      sessionId,
      sessionNumber,
      status: 'closed',
      reconciled,
      result: facts === undefined ? undefined : { ...facts, languages: [...facts.languages] },
      [TTL_ATTRIBUTE]: options.expiresAt,
    },
    ...(mayBeOpen === true ? {} : { remove: ['url'] }),
    condition: { any: [{ absent: 'reconciled' }, { attribute: 'reconciled', is: '<>', value: true }] },
    whenRefused: 'ignore',
  };
}

function final({ callSid, streamSid, segment }: EventOf<'final'>, options: ItemOptions): StoreWrite {
  const { startMs, sessionNumber, channel, utteranceId } = segment;
  const itemKey = segmentKey({ startMs, streamSid, sessionNumber, channel, utteranceId });
  const attributes = segmentAttributes(segment, options.storeWords);
  const added = { streamSid, [TTL_ATTRIBUTE]: options.expiresAt };
  if (segment.source === 'live' && options.keepsStored !== true) {
    // Names first: V8 makes something much larger of an object that begins as a copy of another one.
    return { type: 'put', item: { callSid, itemKey, ...attributes, ...added } };
  }
  const key = { callSid, itemKey };
  const set = { ...attributes, ...added };
  // The first one stored stays: it may carry a translation by now.
  const update = { key, set, condition: { absent: 'text' }, whenRefused: 'ignore' } as const;
  return { type: 'update', update };
}

function heardTwice({ callSid, streamSid, segment }: EventOf<'heard-twice'>): ItemUpdate {
  const itemKey = segmentKey({ ...segment, streamSid });
  const key = { callSid, itemKey };
  return { key, set: { overlap: true }, condition: { exists: 'text' }, whenRefused: 'ignore' };
}

/** The item an add-on belongs to: that of the utterance's final. */
function addOnItemKey({ streamSid }: LegId, addOn: SegmentAddOn): string {
  const { startMs, sessionNumber, channel, utteranceId } = addOn;
  return segmentKey({ startMs, streamSid, sessionNumber, channel, utteranceId });
}

/** Only onto a stored final: an add-on alone would be a segment without text. */
function addOnUpdates(event: EventOf<'add-on'>): readonly ItemUpdate[] {
  const { addOn } = event;
  const key = { callSid: event.callSid, itemKey: addOnItemKey(event, addOn) };
  if (addOn.kind !== 'translation') {
    return [{ key, set: { [addOn.kind]: addOn.value }, condition: { exists: 'text' } }];
  }
  return Object.entries(addOn.value).map(([language, text]) => ({
    key,
    set: { translation: { [language]: text } },
    condition: { all: [{ exists: 'text' }, { absent: 'translation' }] },
    // One message per target language: the second one adds to the first.
    otherwise: {
      key,
      setEntry: { path: ['translation', language], value: text },
      condition: { all: [{ exists: 'text' }, { exists: 'translation' }] },
    },
  }));
}

function summary(event: EventOf<'summary'>, options: ItemOptions): ItemUpdate {
  const { callSid, streamSid, sessionNumber, text } = event;
  const summaryOf = `${streamSid}#${sessionNumber}`;
  const onItsOwn: ItemUpdate = {
    // Session numbers repeat between the legs of a call.
    key: { callSid, itemKey: resultKey(`summary#${streamSid}`, sessionNumber) },
    set: { text, streamSid, sessionNumber, [TTL_ATTRIBUTE]: options.expiresAt },
  };
  if (Buffer.byteLength(text) > CALL_SUMMARY_BYTES) return onItsOwn;
  return {
    key: callKey(callSid),
    set: { summary: text, summaryOf },
    condition: { any: [{ absent: 'summary' }, { attribute: 'summaryOf', is: '=', value: summaryOf }] },
    otherwise: onItsOwn,
  };
}

function gap(event: EventOf<'gap'>, options: ItemOptions): StoreWrite {
  const { callSid, streamSid, track, startMs, endMs, cause } = event;
  const itemKey = gapKey(startMs, streamSid, track);
  const item = {
    callSid,
    itemKey,
    streamSid,
    track,
    startMs,
    endMs,
    cause,
    [TTL_ATTRIBUTE]: options.expiresAt,
  };
  return { type: 'put', item };
}

function legEnded(event: EventOf<'leg-ended'>, options: ItemOptions): ItemUpdate {
  const { callSid, streamSid } = event;
  const key = callKey(callSid);
  const leg = { ...event.summary, tracks: [...event.summary.tracks] };
  const set = { [TTL_ATTRIBUTE]: options.expiresAt };
  const endedAt = ['legs', streamSid, 'endedAt'] as const;
  return {
    key,
    set,
    setEntry: { path: ['legs', streamSid], value: leg },
    condition: {
      all: [
        { exists: 'legs' },
        // A process that was thought dead may say so, too, after the one that took its leg over.
        { any: [{ absent: endedAt }, { attribute: endedAt, is: '<=', value: leg.endedAt }] },
      ],
    },
    otherwise: { key, set: { ...set, legs: { [streamSid]: leg } }, condition: { absent: 'legs' } },
    whenRefused: 'ignore',
  };
}

function callEnded(event: EventOf<'call-ended'>, options: ItemOptions): ItemUpdate {
  const { callSid, endedAt, endReason, legs } = event;
  const startedAt = legs.map((leg) => leg.startedAt).sort()[0];
  return {
    key: callKey(callSid),
    set: {
      status: 'completed',
      endedAt,
      endReason,
      ...callTotals(legs, options.storeLatency),
      [TTL_ATTRIBUTE]: options.expiresAt,
    },
    // So that the call is listed even if the write of its start was lost.
    setIfAbsent: startedAt === undefined ? {} : { startedAt, dayShard: dayShard(startedAt, callSid) },
    condition: { any: [{ absent: 'endedAt' }, { attribute: 'endedAt', is: '<=', value: endedAt }] },
    whenRefused: 'ignore',
  };
}
