import { CfnOutput, type Stack } from 'aws-cdk-lib';
import { STREAM_STATUS_PATH, VOICE_PATH } from '../runtime/contract/endpoints';
import { fillSecretCommand } from '../runtime/contract/secrets';
import { PARTITION_KEY, SEGMENT_PREFIX, SORT_KEY } from '../runtime/contract/transcripts-table';
import { streamUrl, webhookUrl } from '../runtime/twilio/public-url';
import { fallbackTwiml, twimlBinText } from '../runtime/twilio/voice-twiml';
import type { RelayEndpoint } from './constructs/relay-endpoint';
import type { CallscriptSettings } from './settings';
import type { StoreStack } from './store-stack';

export interface RelayOutputsOptions {
  readonly settings: CallscriptSettings;
  readonly store: StoreStack;
  readonly endpoint: RelayEndpoint;
  readonly dashboardUrl: string;
}

interface Output {
  readonly value: string;
  readonly description: string;
}

/** What people paste into Twilio, a terminal or a browser. */
export function addRelayOutputs(stack: Stack, options: RelayOutputsOptions): void {
  const outputs = { ...twilioOutputs(options), ...awsOutputs(stack, options) };
  for (const [name, output] of Object.entries(outputs)) new CfnOutput(stack, name, output);
}

function twilioOutputs({ settings, endpoint }: RelayOutputsOptions): Record<string, Output> {
  const { publicUrl } = endpoint;
  const { mediaPath, tracks, twilio } = settings.relayConfig;
  return {
    PublicUrl: { value: publicUrl, description: 'Where Twilio reaches the relay; PUBLIC_URL of its tasks' },
    StreamUrl: {
      value: streamUrl(publicUrl, mediaPath),
      description: 'The url of <Stream> in your own TwiML',
    },
    StreamStatusUrl: {
      value: webhookUrl(publicUrl, STREAM_STATUS_PATH),
      description: 'The statusCallback of <Stream> in your own TwiML',
    },
    TwimlBin: {
      value: twimlBinText({ publicUrl, mediaPath, tracks }, twilio.next),
      description: 'A TwiML Bin to paste: Twilio console, Develop, TwiML Bins',
    },
    ...(twilio.next === undefined ? {} : voiceOutputs(publicUrl, fallbackTwiml(twilio.next))),
    ...(settings.endpoint.kind === 'certificate'
      ? {
          DnsTarget: {
            value: endpoint.loadBalancer.loadBalancerDnsName,
            description: `Make ${settings.endpoint.domainName} a CNAME of this`,
          },
        }
      : {}),
  };
}

/** Only when something follows the stream: a call with nothing after it would be cut. */
function voiceOutputs(publicUrl: string, fallback: string): Record<string, Output> {
  return {
    VoiceWebhookUrl: {
      value: webhookUrl(publicUrl, VOICE_PATH),
      description: 'Your number, "A call comes in": Webhook, this URL, HTTP POST',
    },
    VoiceFallbackTwiml: {
      value: fallback,
      description:
        'Your number, "Primary handler fails": a TwiML Bin with this, so that no caller is cut off',
    },
  };
}

function awsOutputs(stack: Stack, { store, dashboardUrl }: RelayOutputsOptions): Record<string, Output> {
  const { region } = stack;
  const table = store.transcripts.tableName;
  const values = JSON.stringify({ ':call': { S: 'CA...' }, ':segments': { S: SEGMENT_PREFIX } });
  return {
    TranscriptsTable: { value: table, description: 'npm run transcripts -- list --table <this>' },
    FillGladiaSecret: {
      value: fillSecretCommand('GLADIA_SECRET_ARN', store.gladiaSecret.secretArn, region),
      description: 'Run it with your key; the relay takes it without a restart',
    },
    FillTwilioSecret: {
      value: fillSecretCommand('TWILIO_SECRET_ARN', store.twilioSecret.secretArn, region),
      description: 'Run it with your account and token; the relay takes them without a restart',
    },
    DashboardUrl: { value: dashboardUrl, description: 'Are calls being transcribed right now' },
    QueryCommand: {
      value:
        `aws dynamodb query --region ${region} --table-name ${table}` +
        ` --key-condition-expression '${PARTITION_KEY} = :call AND begins_with(${SORT_KEY}, :segments)'` +
        ` --expression-attribute-values '${values}'`,
      description: 'The conversation of a call in order; put its CallSid in place of CA...',
    },
  };
}
