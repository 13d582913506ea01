import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOtlpExporter } from '../../../runtime/tracing/otlp-exporter';
import { startOtlpReceiver } from '../../support/otlp-receiver';

const SPAN = { callSid: 'CA1', name: 'call', startMs: 1_000, endMs: 2_000 } as const;
const SEND_TIMEOUT_MS = 50;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function collector(answer: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
}

const drip: RequestListener = (_request, response) => {
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
};

it.each<[string, RequestListener]>([
  ['never answers', () => undefined],
  ['answers 500', (_request, response) => response.writeHead(500).end()],
  [
    'answers 503 and asks for patience',
    (_, response) => response.writeHead(503, { 'retry-after': '60' }).end(),
  ],
  ['answers what nobody understands', (_request, response) => response.end('{"partialSuccess":[')],
  ['answers a little, again and again', drip],
])('ends in time with a collector that %s', async (_what, answer) => {
  const url = await collector(answer);
  const exporter = createOtlpExporter({ url, batchMs: 5, sendTimeoutMs: SEND_TIMEOUT_MS });
  for (let i = 0; i < 3_000; i += 1) exporter.export({ ...SPAN, callSid: `CA${i}` });
  await once(server!, 'request');
  await exporter.close();
  exporter.export(SPAN);
  await exporter.close();
});

it.each([
  ['of a call that began before this process keeps its times', 1_000, 2_000, ['1000000000', '2000000000']],
  [
    'that ends before it begins, by a clock that was set back, has no length',
    2_000,
    1_000,
    ['2000000000', '2000000000'],
  ],
])('a span %s', async (_what, startMs, endMs, [startTimeUnixNano, endTimeUnixNano]) => {
  const receiver = await startOtlpReceiver();
  const exporter = createOtlpExporter({ url: receiver.url });
  exporter.export({ ...SPAN, startMs, endMs });
  await exporter.close();
  await receiver.close();
  expect(receiver.spans).toMatchObject([{ startTimeUnixNano, endTimeUnixNano }]);
});
