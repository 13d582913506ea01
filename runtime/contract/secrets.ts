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

/** Which secret, by the setting that names it to the relay. */
export type SecretSetting = 'GLADIA_SECRET_ARN' | 'TWILIO_SECRET_ARN';

const EXAMPLES: Readonly<Record<SecretSetting, Readonly<Record<string, string>>>> = {
  GLADIA_SECRET_ARN: { [GLADIA_SECRET_FIELDS.apiKey]: 'YOUR_GLADIA_KEY' },
  TWILIO_SECRET_ARN: {
    [TWILIO_SECRET_FIELDS.accountSid]: 'YOUR_ACCOUNT_SID',
    [TWILIO_SECRET_FIELDS.authToken]: 'YOUR_AUTH_TOKEN',
  },
};

/** The command that fills a secret: the same in the stack's outputs, the relay's log and `/ready`. */
export function fillSecretCommand(setting: SecretSetting, secretId: string, region: string): string {
  const value = JSON.stringify(EXAMPLES[setting]);
  return `aws secretsmanager put-secret-value --region ${region} --secret-id ${secretId} --secret-string '${value}'`;
}
