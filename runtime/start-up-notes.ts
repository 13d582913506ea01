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
  notes.push(
    `Stream URL: ${streamUrl(publicUrl, mediaPath)}`,
    `Status callback: ${publicUrl}${STREAM_STATUS_PATH}`,
  );
  if (twilio.next !== undefined) notes.push(`Voice webhook of your number: ${publicUrl}${VOICE_PATH}`);
  notes.push(
    '',
    'Or as a TwiML Bin:',
    '',
    ...twimlBinText({ publicUrl, mediaPath, tracks }, twilio.next).split('\n'),
    '',
  );
  return notes;
}
