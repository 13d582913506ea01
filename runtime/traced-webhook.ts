import type { Clock } from './model/clock';
import type { Route } from './server/http-route';
import type { CallTraces } from './tracing/call-traces';
import { isSid } from './twilio/sid';
import { twilioForm } from './twilio/twilio-form';

/** A webhook of Twilio whose answers are a part of the call's trace. Strangers make no traces: what is refused has none. */
export function tracedWebhook(route: Route, traces: CallTraces, wallNow: Clock): Route {
  return {
    ...route,
    async handle(request) {
      const cameAtMs = wallNow();
      const reply = await route.handle(request);
      if (reply.status !== 200) return reply;
      const callSid = twilioForm(request.body).get('CallSid');
      if (callSid !== null && isSid(callSid)) traces.webhook(callSid, cameAtMs);
      return reply;
    },
  };
}
