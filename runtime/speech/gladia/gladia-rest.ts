import type { Secret } from '../../model/secret';
import { SpeechError } from '../speech-provider';

/** What of a refusal is worth telling an operator; never the key, never the body that was sent. */
const WHAT_TO_DO: Readonly<Record<number, string>> = {
  400: 'Gladia refused the session request; check GLADIA_SESSION_OPTIONS',
  401: 'Gladia does not know the key; check GLADIA_API_KEY or the Gladia secret',
  402: "Gladia asks for payment; check the account's plan",
  403: 'Gladia does not allow this key the feature or the region',
  404: 'Gladia does not know the session or the path; check GLADIA_API_URL',
  422: 'Gladia refused the session request; check GLADIA_SESSION_OPTIONS',
  429: "Gladia's limit of sessions or requests is reached",
};

/** `fetch` to Gladia's API with its key (gladia-live.md, 1.1). One attempt. */
export async function gladiaRequest(options: {
  url: URL;
  method: 'GET' | 'POST';
  key: Secret;
  body?: object;
  signal: AbortSignal;
}): Promise<unknown> {
  const { url, method, key, body, signal } = options;
  const response = await fetch(url, {
    method,
    headers: {
      'x-gladia-key': key.reveal(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal,
  }).catch((): never => {
    // Without its cause, which may hold a header, and with it the key.
    throw new SpeechError('Gladia cannot be reached; check GLADIA_API_URL', {
      code: 'unreachable',
      retryable: true,
    });
  });
  if (!response.ok) throw await refusal(response);
  return response.json().catch((cause: unknown) => {
    throw new SpeechError('Gladia answered something that is not JSON', {
      code: 'bad-answer',
      retryable: true,
      cause,
    });
  });
}

/** 408, 429 and 5xx may heal; the other 4xx will not (gladia-live.md, 1.6). */
async function refusal(response: Response): Promise<SpeechError> {
  const { status } = response;
  await response.body?.cancel().catch(() => undefined);
  const retryable = status >= 500 || status === 429 || status === 408;
  return new SpeechError(WHAT_TO_DO[status] ?? 'Gladia refused a request', {
    code: `http-${status}`,
    retryable,
  });
}
