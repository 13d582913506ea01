import { tracedWebhook } from '../../runtime/traced-webhook';
import type { CallTraces } from '../../runtime/tracing/call-traces';

async function tracedFor(status: number, body: Buffer): Promise<string[]> {
  const traced: string[] = [];
  const traces = { webhook: (callSid: string) => void traced.push(callSid) } as unknown as CallTraces;
  const route = { methods: ['POST'], paths: ['/voice'], handle: () => ({ status }) };
  const request = { method: 'POST', path: '/voice', query: '', headers: {}, body };
  const reply = await tracedWebhook(route, traces, () => 0).handle(request);
  expect(reply.status).toBe(status);
  return traced;
}

it('tells the trace of the call that was answered', async () => {
  expect(await tracedFor(200, Buffer.from('CallSid=CA1&a=b'))).toEqual(['CA1']);
});

it.each(['15005550185', ''])('tells no trace of what is no call: %p', async (callSid) => {
  expect(await tracedFor(200, Buffer.from(`CallSid=${callSid}`))).toEqual([]);
});

it('does not look at the form of a request that was refused', async () => {
  const body = Buffer.from('CallSid=CA1&a=b');
  const looks = [jest.spyOn(body, 'toString'), jest.spyOn(body, 'indexOf')];
  expect(await tracedFor(403, body)).toEqual([]);
  for (const look of looks) expect(look).not.toHaveBeenCalled();
});
