import { ListenerAction } from 'aws-cdk-lib/aws-elasticloadbalancingv2';

/** What a listener answers to everything that is not Twilio's. */
export function notFound(): ListenerAction {
  return ListenerAction.fixedResponse(404);
}
