import { isNativeError } from 'node:util/types';

/**
 * What a failed request means:
 * - `retry`: the store or the way to it is at fault; the same request may work later
 * - `refused`: the condition of the request did not hold
 * - `rejected`: the request itself is wrong and will never work
 */
export type StoreErrorKind = 'retry' | 'refused' | 'rejected';

/** Answers of status 400 that are about the moment, the table or the credentials, not about the item. */
const RETRIED_NAMES: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TransactionConflictException',
  'UnprocessedItems',
  'ReplicatedWriteConflictException',
  'InternalServerError',
  'ServiceUnavailable',
  'ResourceNotFoundException',
  'ResourceInUseException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'ExpiredTokenException',
  'TimeoutError',
  'AbortError',
  'CredentialsProviderError',
  'TokenProviderError',
]);

/** What an operator can do, for errors that do not go away by waiting. */
const HINTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    'the table of TRANSCRIPTS_TABLE is not in AWS_REGION: deploy the store stack or correct them',
  AccessDeniedException: 'the credentials may not use the table: check the IAM policy of the task role',
  UnrecognizedClientException: 'AWS does not know the credentials: check them',
  ExpiredTokenException: 'the credentials are over: renew them',
  CredentialsProviderError: 'no AWS credentials were found: give the process a role, a profile or keys',
};

export function storeErrorKind(error: unknown): StoreErrorKind {
  if (!isNativeError(error)) return 'rejected';
  if (error.name === 'ConditionalCheckFailedException') return 'refused';
  if (RETRIED_NAMES.has(error.name) || isSystemError(error)) return 'retry';
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  // Without metadata the request was never made: the item could not be put into one.
  if ($metadata === undefined) return 'rejected';
  const status = $metadata.httpStatusCode;
  // No answer, or one of 200 that cannot be read, is the network's fault or that of something in between.
  if (status === undefined || status < 400) return 'retry';
  return status >= 500 || status === 403 || status === 429 ? 'retry' : 'rejected';
}

/** What the log calls it: the AWS name, or the code of a socket or look-up, whose name is `Error` alone. */
export function storeErrorName(error: unknown): string {
  if (!isNativeError(error)) return typeof error;
  return isSystemError(error) ? error.code : error.name;
}

/** A sentence for the log, if there is something to do about it. */
export function storeErrorHint(error: unknown): string | undefined {
  return HINTS[storeErrorName(error)];
}

/** Node gives errors of sockets and look-ups a code in capitals, such as ECONNRESET; a TypeError with a code is ours. */
function isSystemError(error: Error): error is Error & { readonly code: string } {
  if (error.name === 'TypeError') return false;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code);
}
