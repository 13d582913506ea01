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
export type SecretSetting = 'GLADIA_SECRET_ARN' | 'TWILIO_SECRET_ARN' | 'TICKET_SECRET_ARN';

/** Each in the quotes that a shell needs. */
const EXAMPLES: Readonly<Record<SecretSetting, string>> = {
  GLADIA_SECRET_ARN: quoted({ [GLADIA_SECRET_FIELDS.apiKey]: 'YOUR_GLADIA_KEY' }),
  TWILIO_SECRET_ARN: quoted({
    [TWILIO_SECRET_FIELDS.accountSid]: 'YOUR_ACCOUNT_SID',
    [TWILIO_SECRET_FIELDS.authToken]: 'YOUR_AUTH_TOKEN',
  }),
  // No JSON: the stack has it generated.
  TICKET_SECRET_ARN: '"$(openssl rand -hex 32)"',
};

function quoted(fields: Readonly<Record<string, string>>): string {
  return `'${JSON.stringify(fields)}'`;
}

/** The command that fills a secret: the same in the stack's outputs, the relay's log and `/ready`. */
export function fillSecretCommand(setting: SecretSetting, secretId: string, region: string): string {
  return `aws secretsmanager put-secret-value --region ${region} --secret-id ${secretId} --secret-string ${EXAMPLES[setting]}`;
}
