import { randomBytes } from 'node:crypto';
import type * as Api from '@opentelemetry/api';
import type * as Exporter from '@opentelemetry/exporter-trace-otlp-http';
import type * as Resources from '@opentelemetry/resources';
import type * as Sdk from '@opentelemetry/sdk-trace-base';
import type { CallSpan, SpanExporter } from './span-exporter';
import { traceIds } from './trace-ids';

export interface OtlpExporterOptions {
  /** Of the collector, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Most time that a span waits for company. Default 5 s. */
  readonly batchMs?: number;
  /** Default 2 s. */
  readonly sendTimeoutMs?: number;
}

/** Longest that sending some spans may take, and with it the sending of what is left in the end. */
const SEND_TIMEOUT_MS = 2_000;

/**
 * Sends spans by OpenTelemetry's protocol over HTTP. Loads OpenTelemetry, which nobody else does: where tracing is off
 * it costs neither time nor memory. Spans wait in a bounded queue, and what a collector does not take is dropped.
 */
export function createOtlpExporter(options: OtlpExporterOptions): SpanExporter {
  const { url, batchMs = 5_000, sendTimeoutMs = SEND_TIMEOUT_MS } = options;
  const api = require('@opentelemetry/api') as typeof Api;
  const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base') as typeof Sdk;
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http') as typeof Exporter;
  const { resourceFromAttributes } = require('@opentelemetry/resources') as typeof Resources;

  let root: ReturnType<typeof traceIds> | undefined;
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'callscript' }),
    idGenerator: {
      generateTraceId: () => root?.traceId ?? randomBytes(16).toString('hex'),
      generateSpanId: () => root?.rootSpanId ?? randomBytes(8).toString('hex'),
    },
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url, timeoutMillis: sendTimeoutMs }), {
        scheduledDelayMillis: batchMs,
        // The exporter's own does not end an answer that drips.
        exportTimeoutMillis: sendTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('callscript');

  const parentOf = (callSid: string): Api.Context => {
    const { traceId, rootSpanId: spanId } = traceIds(callSid);
    const { SAMPLED } = api.TraceFlags;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId, traceFlags: SAMPLED });
  };

  return {
    export({ callSid, name, startMs, endMs, attributes = {}, isFailed = false }: CallSpan) {
      const isRoot = name === 'call';
      root = isRoot ? traceIds(callSid) : undefined;
      const context = isRoot ? api.ROOT_CONTEXT : parentOf(callSid);
      // As a date: a number before this process's start, as of a call that began on another task, is read as its age.
      const options = { startTime: new Date(startMs), attributes: { callSid, ...attributes } };
      const span = tracer.startSpan(name, options, context);
      root = undefined;
      if (isFailed) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end(new Date(Math.max(startMs, endMs)));
    },
    async close() {
      await provider.shutdown().catch(() => undefined);
    },
  };
}
