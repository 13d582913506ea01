/** Something that Twilio would report about a stream (twilio-media-streams.md, 2.8). */
export type StreamFaultCode =
  | 31900
  | 31901
  | 31902
  | 31903
  | 31904
  | 31910
  | 31920
  | 31921
  | 31922
  | 31923
  | 31924
  | 31930
  | 31950
  | 31951;

interface FaultFacts {
  /** Warnings leave the stream alone. */
  readonly level: 'error' | 'warning';
  /** Text for `StreamError`. UNKNOWN what Twilio writes; ours follows its one plausible sample. */
  readonly text: string;
}

export const STREAM_FAULTS: Readonly<Record<StreamFaultCode, FaultFacts>> = {
  31900: { level: 'error', text: 'Stream - Unknown Error' },
  31901: { level: 'error', text: 'Stream - WebSocket - Connection Timeout' },
  31902: { level: 'error', text: 'Stream - WebSocket - Connection Refused' },
  31903: { level: 'error', text: 'Stream - WebSocket - Connection Broken Pipe' },
  31904: { level: 'error', text: 'Stream - WebSocket - Host Unreachable' },
  31910: { level: 'error', text: 'Stream - WebSocket - SSL Protocol Error' },
  31920: { level: 'error', text: 'Stream - WebSocket - Handshake Error' },
  31921: { level: 'error', text: 'Stream - WebSocket - Close Error' },
  31922: { level: 'error', text: 'Stream - WebSocket - URL Scheme Not Supported' },
  31923: { level: 'error', text: 'Stream - WebSocket - Malformed URL' },
  31924: { level: 'error', text: 'Stream - WebSocket - Protocol Error' },
  31930: { level: 'warning', text: 'Stream - Buffer Overflow' },
  31950: { level: 'warning', text: 'Stream - Malformed Message' },
  31951: { level: 'warning', text: 'Stream - Invalid Message' },
};

const CODES_BY_ERROR: Readonly<Record<string, StreamFaultCode>> = {
  ETIMEDOUT: 31901,
  ECONNREFUSED: 31902,
  ECONNRESET: 31903,
  EPIPE: 31903,
  ENOTFOUND: 31904,
  EAI_AGAIN: 31904,
  EHOSTUNREACH: 31904,
  ENETUNREACH: 31904,
};

/** The fault behind an error of the socket before it is open. */
export function faultOfConnectError(error: NodeJS.ErrnoException): StreamFaultCode {
  const code = error.code ?? '';
  if (/handshake has timed out/.test(error.message)) return 31901;
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) return 31910;
  return CODES_BY_ERROR[code] ?? 31920;
}

/** The fault behind an error of an open socket: `ws` gives what breaks the protocol a code of its own. */
export function faultOfSocketError(error: NodeJS.ErrnoException): StreamFaultCode {
  return error.code?.startsWith('WS_ERR_') === true ? 31924 : 31903;
}
