/** Fields of the JSON in the Secrets Manager secrets. */
export const GLADIA_SECRET_FIELDS = { apiKey: 'apiKey' } as const;
export const TWILIO_SECRET_FIELDS = {
  accountSid: 'accountSid',
  authToken: 'authToken',
  /** More tokens to accept, such as the next one, known before Twilio promotes it: an array or a comma-separated list. */
  otherAuthTokens: 'otherAuthTokens',
  apiKeySid: 'apiKeySid',
  apiKeySecret: 'apiKeySecret',
} as const;
