import { DRAIN_TIMEOUT_MS, LONGEST_DRAIN_TIMEOUT_MS } from './durations';

/**
 * Every setting of the relay, once. `runtime/config.ts` reads them, the CDK app sets those marked `aws` or `both`,
 * and a test holds the README's table against this one.
 */
export interface Setting {
  /** `aws`: only the deployed task. `local`: only a laptop or another host. `both`: either. */
  readonly where: 'aws' | 'local' | 'both';
  /** What is allowed, in words: part of the error for a wrong value. */
  readonly allowed: string;
  /** The value when the variable is absent or empty; without it the setting is off. */
  readonly fallback?: string;
  readonly meaning: string;
  /** The value must never be printed. */
  readonly secret?: true;
}

const settings = {
  HTTP_PORT: {
    where: 'both',
    allowed: 'a port number from 0 to 65535 (0: any free port)',
    fallback: '5000',
    meaning: 'Port of the Twilio routes and `/health`',
  },
  ADMIN_PORT: {
    where: 'both',
    allowed: 'a port number from 0 to 65535 (0: any free port)',
    fallback: '9464',
    meaning: 'Port of `/ready` and `/metrics`, on loopback only',
  },
  PUBLIC_URL: {
    where: 'both',
    allowed: 'an http(s) URL without query, such as https://relay.example.com',
    meaning:
      'The URL Twilio reaches the relay at. Signatures are checked against it, never against request headers',
  },
  MEDIA_PATH: {
    where: 'both',
    allowed: 'a path of letters, digits, "-", "_", "." and "~", such as /media',
    fallback: '/media',
    meaning: 'Path of the media WebSocket',
  },
  TWILIO_ACCOUNT_SID: {
    where: 'local',
    allowed: 'AC and 32 hexadecimal digits',
    meaning: 'The Twilio account whose streams are taken; others are refused',
  },
  TWILIO_AUTH_TOKEN: {
    where: 'local',
    allowed: 'one auth token, or several separated by commas, each of printable characters without spaces',
    meaning: "Checks Twilio's signature. Several tokens make a token rotation harmless",
    secret: true,
  },
  TWILIO_SECRET_ARN: {
    where: 'aws',
    allowed: 'the ARN or name of a Secrets Manager secret',
    meaning:
      'Secret with the Twilio credentials; wins over `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and `TWILIO_API_KEY_*`',
  },
  STREAM_TICKET: {
    where: 'both',
    allowed: 'required, when-issued or off',
    fallback: 'when-issued',
    meaning:
      'Which streams must bring a single-use ticket: all, those of calls that came through `/voice`, or none. See [Who gets in](#who-gets-in)',
  },
  TICKET_KEY: {
    where: 'local',
    allowed: 'a key of at least 32 printable characters without spaces, or several separated by commas',
    meaning:
      'Signs stream tickets: the first key; all are accepted. The same for every relay. Without it each process makes one up',
    secret: true,
  },
  TICKET_SECRET_ARN: {
    where: 'aws',
    allowed: 'the ARN or name of a Secrets Manager secret',
    meaning: 'Secret with the key of the tickets; wins over `TICKET_KEY`',
  },
  ALLOW_UNSIGNED_STREAMS: {
    where: 'local',
    allowed: 'true or false',
    fallback: 'false',
    meaning: 'Takes requests without a signature check. For a closed test network only',
  },
  VOICE_TWIML: {
    where: 'both',
    allowed: 'TwiML verbs without <Response>, such as <Say>Hello</Say><Dial>+15005550006</Dial>',
    meaning:
      'What `/voice` answers after `<Start>`: verbs. Set at most one of `VOICE_TWIML`, `DIAL_NUMBER`, `VOICE_NEXT_URL`',
  },
  DIAL_NUMBER: {
    where: 'both',
    allowed: 'a phone number in E.164, such as +15005550006',
    meaning: 'What `/voice` answers after `<Start>`: `<Dial>` to this number',
  },
  VOICE_NEXT_URL: {
    where: 'both',
    allowed: 'an http(s) URL',
    meaning: 'What `/voice` answers after `<Start>`: `<Redirect>` to your own voice application',
  },
  TWILIO_API_URL: {
    where: 'both',
    allowed: 'an http(s) URL without query',
    fallback: 'https://api.twilio.com',
    meaning: "Twilio's REST API. Setting it, or an API key, lets the relay ask Twilio about a call",
  },
  TWILIO_API_KEY_SID: {
    where: 'local',
    allowed: 'SK and 32 hexadecimal digits',
    meaning: 'API key for the REST API',
  },
  TWILIO_API_KEY_SECRET: {
    where: 'local',
    allowed: 'the secret of the API key: printable characters without spaces',
    meaning: 'Secret of the API key',
    secret: true,
  },
  GLADIA_API_KEY: {
    where: 'local',
    allowed: 'a Gladia API key: printable characters without spaces',
    meaning: 'Key for Gladia',
    secret: true,
  },
  GLADIA_SECRET_ARN: {
    where: 'aws',
    allowed: 'the ARN or name of a Secrets Manager secret',
    meaning: 'Secret with the Gladia key; wins over `GLADIA_API_KEY`',
  },
  OTLP_TRACES_URL: {
    where: 'both',
    allowed: 'an http(s) URL without query',
    meaning:
      'Sends a trace of each call to an OpenTelemetry collector, such as http://127.0.0.1:4318/v1/traces',
  },
  GLADIA_API_URL: {
    where: 'both',
    allowed: 'an http(s) URL without query',
    fallback: 'https://api.gladia.io',
    meaning: "Gladia's API",
  },
  GLADIA_REGION: {
    where: 'both',
    allowed: 'us-west or eu-west',
    meaning: 'Where Gladia processes the audio; without it Gladia decides',
  },
  GLADIA_SESSION_OPTIONS: {
    where: 'both',
    allowed: 'a JSON object of Gladia session options, such as {"language_config":{"languages":["en"]}}',
    fallback: '{}',
    meaning:
      'Languages, vocabulary, spelling, translation, entities, sentiment, summary: merged into every session request',
  },
  GLADIA_MAX_SESSIONS: {
    where: 'both',
    allowed: 'a whole number from 1 to 100000',
    meaning: 'Most Gladia sessions this process opens at once; without it there is no limit',
  },
  TRACKS: {
    where: 'both',
    allowed: 'both or inbound',
    fallback: 'both',
    meaning: 'Which sides are transcribed. Gladia bills each track',
  },
  AUDIO_CHUNK_MS: {
    where: 'both',
    allowed: 'a whole number from 20 to 100',
    fallback: '20',
    meaning: 'Audio per message to Gladia. Larger costs less CPU and adds that much delay',
  },
  TRANSCRIPTS_TABLE: {
    where: 'both',
    allowed: 'a DynamoDB table name: 3 to 255 letters, digits, "-", "_" and "."',
    fallback: 'callscript',
    meaning: 'The DynamoDB table',
  },
  AWS_REGION: {
    where: 'both',
    allowed: 'an AWS region, such as us-east-1',
    fallback: 'us-east-1',
    meaning: 'Region of the table and the secrets',
  },
  AWS_ENDPOINT_URL_DYNAMODB: {
    where: 'local',
    allowed: 'an http(s) URL',
    meaning: 'Another DynamoDB, such as the embedded one',
  },
  STORE_WORDS: {
    where: 'both',
    allowed: 'true or false',
    fallback: 'false',
    meaning: 'Stores the words of each segment with their times',
  },
  RETENTION_DAYS: {
    where: 'both',
    allowed: 'a whole number from 1 to 3650',
    fallback: '365',
    meaning: 'Days until DynamoDB deletes what was written',
  },
  MAX_CALLS: {
    where: 'both',
    allowed: 'a whole number from 1 to 100000',
    fallback: '2000',
    meaning: 'Live calls at which the process refuses another one',
  },
  MAX_CALLS_PER_ACCOUNT: {
    where: 'both',
    allowed: 'a whole number from 1 to 100000',
    meaning:
      'Live calls of one Twilio account at which the process refuses another one; without it `MAX_CALLS` alone',
  },
  MAX_CONNECTIONS: {
    where: 'both',
    allowed: 'a whole number from 10 to 1000000',
    fallback: '10000',
    meaning:
      'Open connections to the Twilio routes, those of media streams among them; more are cut at once. Far above `MAX_CALLS`, and below the descriptors that the process may have',
  },
  MAX_HANDSHAKES_PER_SECOND: {
    where: 'both',
    allowed: 'a whole number from 1 to 100000',
    fallback: '1000',
    meaning: 'Signed media sockets that the process takes in a second, or all at once; more are refused',
  },
  MAX_CALL_MS: {
    where: 'both',
    allowed: 'a whole number from 1000 to 604800000',
    fallback: '86400000',
    meaning:
      'After this long a call is not transcribed any further (`too-long`); a cost guard, the call itself goes on',
  },
  MEDIA_TIMEOUT_MS: {
    where: 'both',
    allowed: 'a whole number from 1000 to 86400000',
    fallback: '7200000',
    meaning:
      'Without a media frame for this long a stream is ended (`idle`); a cost guard. A caller on hold may send none',
  },
  START_TIMEOUT_MS: {
    where: 'both',
    allowed: 'a whole number from 1000 to 60000',
    fallback: '10000',
    meaning: 'Time for a media socket to say which call it is of',
  },
  REQUEST_TIMEOUT_MS: {
    where: 'both',
    allowed: 'a whole number from 1000 to 60000',
    fallback: '10000',
    meaning: 'Time for a client to send its whole request',
  },
  MAX_HEADER_BYTES: {
    where: 'both',
    allowed: 'a whole number from 8192 to 65536',
    fallback: '16384',
    meaning: 'Headers of a request, at most',
  },
  MAX_BODY_BYTES: {
    where: 'both',
    allowed: 'a whole number from 8192 to 1048576',
    fallback: '65536',
    meaning: 'Body of a request, at most',
  },
  MAX_MESSAGE_BYTES: {
    where: 'both',
    allowed: 'a whole number from 4096 to 1048576',
    fallback: '65536',
    meaning: "Message of a media stream, at most. Twilio's are below 1 KB",
  },
  BACKLOG_CALL_MS: {
    where: 'both',
    allowed: 'a whole number from 1000 to 3600000',
    fallback: '600000',
    meaning: 'Audio kept per call while Gladia is not reachable, at most',
  },
  BACKLOG_PROCESS_BYTES: {
    where: 'both',
    allowed: 'a whole number from 1048576 to 17179869184',
    fallback: '268435456',
    meaning: 'Audio kept for all calls together, at most',
  },
  CATCH_UP_FACTOR: {
    where: 'both',
    allowed: 'a number from 1.1 to 100, such as 3',
    meaning:
      'Audio that had to wait is sent to Gladia at most this many times faster than it was spoken; without it as fast as Gladia takes it',
  },
  DRAIN_TIMEOUT_MS: {
    where: 'both',
    allowed: `a whole number from 1000 to ${LONGEST_DRAIN_TIMEOUT_MS}`,
    fallback: String(DRAIN_TIMEOUT_MS),
    meaning: 'Time to finish live transcripts after SIGTERM or SIGINT',
  },
  CONSOLE_TRANSCRIPTS: {
    where: 'local',
    allowed: 'auto, on or off',
    fallback: 'auto',
    meaning: 'Prints transcripts for people; `auto`: when the output is a terminal. Logs go to stderr then',
  },
  LOG_LEVEL: {
    where: 'both',
    allowed: 'debug, info, warn, error or silent',
    fallback: 'info',
    meaning: 'What is logged, as JSON lines',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
export const SETTINGS: Readonly<Record<SettingName, Setting>> = settings;
