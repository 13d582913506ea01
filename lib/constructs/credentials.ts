import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnSecret, Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';

export interface CredentialsProps {
  /** Without one: the key that AWS manages. */
  readonly key?: IKey | undefined;
}

/**
 * The keys that the user fills in, and one of the relay's own. Without a value on purpose: a template must not hold
 * one, and a random one would look filled. They stay when the stack goes.
 */
export class Credentials extends Construct {
  readonly gladia: ISecret;
  readonly twilio: ISecret;
  /** Signs stream tickets. */
  readonly ticket: ISecret;

  constructor(scope: Construct, id: string, { key }: CredentialsProps) {
    super(scope, id);
    const empty = (name: string, description: string): ISecret => {
      const secret = new CfnSecret(this, name, {
        description,
        ...(key === undefined ? {} : { kmsKeyId: key.keyArn }),
      });
      secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
      return Secret.fromSecretCompleteArn(this, `${name}Secret`, secret.ref);
    };
    this.gladia = empty('Gladia', 'Callscript: {"apiKey"} for Gladia');
    this.twilio = empty(
      'Twilio',
      'Callscript: {"accountSid","authToken"}, and if wanted "apiKeySid", "apiKeySecret", "otherAuthTokens", of Twilio',
    );
    const ticket = new Secret(this, 'Ticket', {
      description: 'Callscript: signs stream tickets; generated',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
      ...(key === undefined ? {} : { encryptionKey: key }),
    });
    this.ticket = ticket as ISecret;
    acknowledge(this, {
      SMG4: 'Gladia and Twilio have no call that rotates a key; a new value is taken without a restart.',
    });
  }
}
