import { IDLE } from './idle-cost';
import { PRICES } from './prices';

/** What an hour of a call moves and writes; generous where it is not exact. */
export const CALL_HOUR = {
  /** 50 messages a second of about 400 bytes and track. */
  fromTwilioGbPerTrack: 0.075,
  /** 50 messages a second of 160 bytes and track, with the headers of WebSocket, TLS, TCP and IP. */
  toGladiaGb: { 1: 0.045, 2: 0.075 },
  /** An acknowledgement for each message, and the transcripts. */
  fromGladiaGb: 0.06,
  /** One final every 5 s and track, each one write. */
  segmentsPerTrack: 720,
  /** State of the leg every 5 s, up to 2 KB: two units. */
  checkpoints: 1440,
  bytesPerSegment: 1000,
  /** Default of RETENTION_DAYS. */
  retentionMonths: 12,
  /** Calls of a task that is at its scaling target. */
  callsPerTask: 140,
} as const;

export interface CallLine {
  readonly who: 'Gladia' | 'Twilio' | 'AWS';
  readonly what: string;
  /** US dollars for an hour of call, with one track and with two. */
  readonly usd: readonly [one: number, two: number];
}

const forTracks = (usd: (tracks: 1 | 2) => number): CallLine['usd'] => [usd(1), usd(2)];

/** An hour of one call, with the default endpoint and egress. */
export function callLines(): readonly CallLine[] {
  const { fromTwilioGbPerTrack, toGladiaGb, fromGladiaGb, segmentsPerTrack, checkpoints } = CALL_HOUR;
  const twilioGb = (tracks: 1 | 2): number => fromTwilioGbPerTrack * tracks;
  const taskHour = IDLE.vcpuPerTask * PRICES.vcpu.usd + IDLE.memoryGbPerTask * PRICES.memory.usd;
  const writes = (tracks: 1 | 2): number => segmentsPerTrack * tracks + checkpoints;
  const keptGb = (tracks: 1 | 2): number => (segmentsPerTrack * tracks * CALL_HOUR.bytesPerSegment) / 1e9;
  const gbMonth = PRICES.storage.usd + PRICES.backup.usd;
  return [
    { who: 'Gladia', what: 'speech to text, Starter', usd: forTracks((n) => n * PRICES.gladiaStarter.usd) },
    { who: 'Twilio', what: 'Media Streams', usd: forTracks(() => 60 * PRICES.twilioStream.usd) },
    { who: 'Twilio', what: 'the inbound call itself', usd: forTracks(() => 60 * PRICES.twilioInbound.usd) },
    {
      who: 'AWS',
      what: 'CloudFront, Twilio to relay',
      usd: forTracks((n) => twilioGb(n) * PRICES.cloudFrontToOrigin.usd),
    },
    { who: 'AWS', what: 'load balancer', usd: forTracks((n) => twilioGb(n) * PRICES.balancerUnit.usd) },
    {
      who: 'AWS',
      what: `task with ${CALL_HOUR.callsPerTask} calls`,
      usd: forTracks(() => taskHour / CALL_HOUR.callsPerTask),
    },
    {
      who: 'AWS',
      what: 'NAT gateway, to and from Gladia',
      usd: forTracks((n) => (toGladiaGb[n] + fromGladiaGb) * PRICES.natData.usd),
    },
    {
      who: 'AWS',
      what: 'to the internet, to Gladia',
      usd: forTracks((n) => toGladiaGb[n] * PRICES.internet.usd),
    },
    { who: 'AWS', what: 'DynamoDB writes', usd: forTracks((n) => (writes(n) / 1e6) * PRICES.write.usd) },
    {
      who: 'AWS',
      what: 'DynamoDB, kept for a year, with recovery',
      usd: forTracks((n) => keptGb(n) * gbMonth * CALL_HOUR.retentionMonths),
    },
  ];
}

/** Sums of one payee, or of all. */
export function callUsd(who?: CallLine['who']): CallLine['usd'] {
  const lines = callLines().filter((line) => who === undefined || line.who === who);
  return [0, 1].map((index) => lines.reduce((total, { usd }) => total + (usd[index] ?? 0), 0)) as [
    number,
    number,
  ];
}
