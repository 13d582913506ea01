import type { RelayConfig } from './config';
import { STREAM_STATUS_PATH, VOICE_PATH } from './contract/endpoints';
import { streamUrl } from './twilio/public-url';
import { twimlBinText } from './twilio/voice-twiml';

/** What somebody who has just started the relay does next. */
export function startUpNotes(config: RelayConfig, { port }: { readonly port: number }): readonly string[] {
  const { publicUrl, mediaPath, tracks, twilio, gladia } = config;
  const notes = ['', `The relay listens on port ${port}. Ctrl-C ends it.`];
  if (gladia.apiKey === undefined && gladia.secretArn === undefined)
    notes.push('Missing: GLADIA_API_KEY. Calls wait for it.');
  if (twilio.authTokens.length === 0 && twilio.secretArn === undefined && !twilio.allowUnsignedStreams) {
    notes.push('Missing: TWILIO_AUTH_TOKEN. Every stream is refused without it.');
  }
  if (publicUrl === undefined) {
    notes.push(
      `Missing: PUBLIC_URL. Start a tunnel to port ${port} and set it to the tunnel's https URL.`,
      '',
    );
    return notes;
  }
  const fault = publicUrlFault(publicUrl);
  if (fault !== undefined) notes.push(fault);
  notes.push(
    `Stream URL: ${streamUrl(publicUrl, mediaPath)}`,
    `Status callback: ${publicUrl}${STREAM_STATUS_PATH}`,
  );
  notes.push(
    twilio.next === undefined
      ? `Voice webhook: ${VOICE_PATH} is off until VOICE_TWIML, DIAL_NUMBER or VOICE_NEXT_URL is set.`
      : `Voice webhook of your number: ${publicUrl}${VOICE_PATH}`,
  );
  notes.push(
    '',
    'Or as a TwiML Bin:',
    '',
    ...twimlBinText({ publicUrl, mediaPath, tracks }, twilio.next).split('\n'),
    '',
  );
  return notes;
}

/** Why Twilio could not stream to this URL, or undefined. Loopback is for a simulated caller, which takes `ws`. */
export function publicUrlFault(publicUrl: string | undefined): string | undefined {
  if (publicUrl === undefined) return undefined;
  const { protocol, hostname } = new URL(publicUrl);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  if (protocol === 'https:' || isLoopback) return undefined;
  return 'PUBLIC_URL is an http URL: Twilio streams to wss only, so no call reaches the relay. Set an https URL.';
}
