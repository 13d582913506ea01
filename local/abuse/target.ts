import { twilioSignatureOf } from '../twilio/twilio-signature-of';

/** What a hostile peer knows of a relay. The signature of the upgrade is the same for every call, so it may know one. */
export interface Target {
  /** On loopback. */
  readonly port: number;
  readonly publicUrl: string;
  readonly authToken: string;
  readonly accountSid: string;
  /** How long a connection is held on which nothing happens any more. */
  readonly holdMs: number;
}

/** @param headers without line ends */
export function upgradeRequest({ publicUrl }: Target, headers: readonly string[] = []): string {
  return request('GET /media', publicUrl, [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  ]);
}

export function signedUpgrade(target: Target, headers: readonly string[] = []): string {
  const url = `${target.publicUrl.replace('https', 'wss')}/media`;
  const signature = twilioSignatureOf({ authToken: target.authToken, url });
  return upgradeRequest(target, [`X-Twilio-Signature: ${signature}`, ...headers]);
}

export function request(line: string, publicUrl: string, headers: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, `Host: ${new URL(publicUrl).host}`, ...headers, '', ''].join('\r\n');
}
