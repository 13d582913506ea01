import { Template } from 'aws-cdk-lib/assertions';
import { makeStacks, resourcesOf, WAYS, type DeployContext } from '../support/stacks';

const template = Template.fromStack(makeStacks().relay);

/** Values of the outputs, with what is known when the stack is deployed as `<...>`. */
function outputs(context: DeployContext): Record<string, string> {
  const all = Template.fromStack(makeStacks(context).relay).toJSON()['Outputs'] as Record<
    string,
    { Value: unknown }
  >;
  return Object.fromEntries(Object.entries(all).map(([name, { Value }]) => [name, textOf(Value)]));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[kind, parts]] = Object.entries(value as object) as [[string, [string, unknown[]]]];
  if (kind === 'Fn::Join') return parts[1].map(textOf).join(parts[0]);
  return kind === 'Ref' && String(parts) === 'AWS::Region' ? '<region>' : '<...>';
}

describe('what gives the URL that people paste', () => {
  test('is protected: the stack cannot be deleted by mistake', () => {
    expect(makeStacks().relay.terminationProtection).toBe(true);
  });

  // Another id is another resource, and a new CloudFront name: every phone number would have to be changed.
  test.each([
    ['AWS::CloudFront::Distribution', ['EndpointCloudFrontDistributionEEC1BD9E']],
    ['AWS::CloudFront::VpcOrigin', ['EndpointCloudFrontVpcOriginECC5FDCD']],
    ['AWS::ElasticLoadBalancingV2::LoadBalancer', ['EndpointInternalLoadBalancerC1115C33']],
    ['AWS::EC2::VPC', ['NetworkVpc7FB7348F']],
  ])('keeps its logical id: %s', (type, ids) => {
    expect(resourcesOf(template, type).map(({ id }) => id)).toEqual(ids);
  });

  test.each(['domain', 'certificate'] as const)('keeps its logical id with a domain, by %s', (way) => {
    const other = Template.fromStack(makeStacks(WAYS[way]).relay);
    expect(resourcesOf(other, 'AWS::ElasticLoadBalancingV2::LoadBalancer').map(({ id }) => id)).toEqual([
      'EndpointPublicLoadBalancer3AB44652',
    ]);
  });
});

describe('the outputs', () => {
  test('without a domain and a next step are what a TwiML Bin, a terminal and a browser need', () => {
    const all = outputs({});
    expect(all).toMatchObject({
      PublicUrl: 'https://<...>',
      StreamUrl: 'wss://<...>/media',
      StreamStatusUrl: 'https://<...>/stream-status',
      TranscriptsTable: '<...>',
      DashboardUrl: expect.stringMatching(/^https:.*cloudwatch/),
      FillGladiaSecret: `aws secretsmanager put-secret-value --region <region> --secret-id <...> --secret-string '{"apiKey":"YOUR_GLADIA_KEY"}'`,
      FillTwilioSecret: expect.stringContaining(
        `'{"accountSid":"YOUR_ACCOUNT_SID","authToken":"YOUR_AUTH_TOKEN"}'`,
      ),
    });
    expect(all['TwimlBin']).toContain(
      '<Stream url="wss://<...>/media" track="both_tracks" statusCallback="https://<...>/stream-status">' +
        '<Parameter name="from" value="{{From}}"/><Parameter name="to" value="{{To}}"/>',
    );
  });

  test('advertise no webhook that would cut the call', () => {
    expect(outputs({})).not.toHaveProperty('VoiceWebhookUrl');
    expect(outputs({})).not.toHaveProperty('VoiceFallbackTwiml');
  });

  test.each([
    [{ DIAL_NUMBER: '+15005550006' }, '<Dial>+15005550006</Dial>'],
    [{ VOICE_TWIML: '<Say>Hello</Say>' }, '<Say>Hello</Say>'],
    [
      { VOICE_NEXT_URL: 'https://app.example.com/voice?a=1&b=2' },
      '<Redirect>https://app.example.com/voice?a=1&amp;b=2</Redirect>',
    ],
  ])('with %j have the webhook, and a fallback that goes on with the call', (relay, verbs) => {
    expect(outputs({ ...WAYS.domain, relay })).toMatchObject({
      VoiceWebhookUrl: 'https://calls.example.com/voice',
      VoiceFallbackTwiml: `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`,
      TwimlBin: expect.stringContaining(verbs),
    });
  });

  test('with one track ask Twilio for one', () => {
    expect(outputs({ relay: { TRACKS: 'inbound' } })['TwimlBin']).toContain('track="inbound_track"');
  });

  test('tell where the name must point to only when the user makes the record', () => {
    expect(outputs(WAYS.certificate)).toHaveProperty('DnsTarget');
    expect(outputs(WAYS.domain)).not.toHaveProperty('DnsTarget');
    expect(outputs({})).not.toHaveProperty('DnsTarget');
  });

  test('have a query that gives the conversation in order', () => {
    expect(outputs({})['QueryCommand']).toBe(
      'aws dynamodb query --region <region> --table-name <...>' +
        " --key-condition-expression 'callSid = :call AND begins_with(itemKey, :segments)'" +
        ` --expression-attribute-values '{":call":{"S":"CA..."},":segments":{"S":"SEGMENT#"}}'`,
    );
  });
});
