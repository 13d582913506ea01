const MESSAGES: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'There is no such table in this region: check --table and AWS_REGION',
  ValidationException: 'The table is not one of Callscript: check --table',
  CredentialsProviderError:
    'There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  UnrecognizedClientException: 'AWS does not know these credentials: check AWS_PROFILE or AWS_ACCESS_KEY_ID',
  InvalidSignatureException: 'AWS does not take these credentials: check AWS_SECRET_ACCESS_KEY',
  ExpiredTokenException: 'The AWS credentials have expired: renew them',
  AccessDeniedException:
    'The AWS credentials may not read the table: they need dynamodb:Query and dynamodb:BatchGetItem',
};

/** An error of the store as a sentence for the person at the terminal. */
export function accessErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'StoreAccessError') return error.message;
  const { code } = error as { code?: unknown };
  return (
    MESSAGES[error.name] ??
    (typeof code === 'string'
      ? `The store does not answer (${code}): check the network and AWS_REGION`
      : error.message)
  );
}
