import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a secret answers: its text, now or later, an AWS error by name, or nothing for ever. */
export type LocalSecret =
  string | Promise<string> | { readonly error: string; readonly status: number } | 'silence';

export interface LocalSecretsManager {
  /** `http://127.0.0.1:PORT`, for AWS_ENDPOINT_URL_SECRETS_MANAGER. */
  readonly endpoint: string;
  /** By name or ARN, whichever the relay is given. May be changed at any time; what is not here has no value yet. */
  readonly secrets: Map<string, LocalSecret>;
  /** Ids that were asked for, in order. */
  readonly requests: readonly string[];
  /** Cuts every connection. Safe to call twice. */
  close(): Promise<void>;
}

/** A secret that was created and never filled answers this (AWS: it has no AWSCURRENT version). */
const NOT_FILLED = { error: 'ResourceNotFoundException', status: 400 };

/** A stand-in for Secrets Manager that knows `GetSecretValue`: one POST of JSON with an `X-Amz-Target`. */
export async function startSecretsManager(): Promise<LocalSecretsManager> {
  const secrets = new Map<string, LocalSecret>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    // A client that goes away in mid-request is no fault of this server's.
    answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { SecretId: id } = JSON.parse(await text(request)) as { SecretId: string };
    const isKnown = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
    if (isKnown) requests.push(id);
    const secret = isKnown
      ? await (secrets.get(id) ?? NOT_FILLED)
      : { error: 'UnknownOperation', status: 400 };
    if (secret === 'silence') return;
    const [status, body] =
      typeof secret === 'string'
        ? [200, { ARN: id, SecretString: secret }]
        : [secret.status, { __type: secret.error, message: 'no' }];
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let closed: Promise<unknown> | undefined;
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets,
    requests,
    close: async () => {
      closed ??= once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}
