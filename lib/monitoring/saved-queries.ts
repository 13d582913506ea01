export interface SavedQuery {
  /** What it answers, as a file name: CloudWatch shows it in a folder of the stack's name. */
  readonly name: string;
  readonly query: string;
}

/** Also on the dashboard. */
export const FAILED_CALLS: SavedQuery = {
  name: '2 Which calls failed, and why',
  query: `fields @timestamp, callSid, msg, coalesce(failure, reason, err.message, err.type) as why, segments
| filter msg in ["The transcription of a call failed", "A fault ended a leg"] or (msg = "Leg ended" and segments = 0)
| sort @timestamp desc
| limit 200`,
};

/** The questions that are always asked, for Logs Insights. Each line is one pipe. */
export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    name: '1 What happened to a call',
    query: `fields @timestamp, level, msg, streamSid, reason, code, failure, segments, @message
| filter callSid = "CA00000000000000000000000000000000"
| sort @timestamp asc
| limit 1000`,
  },
  FAILED_CALLS,
  {
    name: '3 What was refused, by reason',
    query: `filter ispresent(RequestsRefused) and ispresent(Reason)
| stats sum(RequestsRefused) as refused by Reason, bin(5m) as time
| sort time desc`,
  },
  {
    name: '4 What Gladia answered',
    query: `filter msg in ["The speech service gave no session", "The speech socket was lost", "The final result of a speech session could not be had"]
| stats count(*) as times, count_distinct(callSid) as calls, latest(@timestamp) as last by msg, code, advice
| sort times desc`,
  },
  {
    name: '5 Which calls had the slowest finals',
    query: `fields @timestamp, callSid, streamSid, latency.p50Ms, latency.p95Ms, latency.count
| filter msg = "Leg ended" and ispresent(latency.p95Ms)
| sort latency.p95Ms desc
| limit 50`,
  },
];
