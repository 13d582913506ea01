import { METRICS_PATH, READY_PATH } from './contract/endpoints';
import type { Metrics } from './observability/metrics';
import { prometheusText, PROMETHEUS_CONTENT_TYPE } from './observability/prometheus-text';
import type { Readiness } from './readiness';
import type { Route } from './server/http-route';

/** The doors that only the machine itself may open. */
export function adminRoutes(readiness: Readiness, metrics: Metrics): readonly Route[] {
  const ready: Route = {
    methods: ['GET', 'HEAD'],
    paths: [READY_PATH],
    handle: async () => {
      const reasons = await readiness.unreadyReasons();
      const body = `${JSON.stringify({ ready: reasons.length === 0, reasons })}\n`;
      return {
        status: reasons.length === 0 ? 200 : 503,
        headers: { 'content-type': 'application/json' },
        body,
      };
    },
  };
  const scrape: Route = {
    methods: ['GET', 'HEAD'],
    paths: [METRICS_PATH],
    handle: () => ({
      status: 200,
      headers: { 'content-type': PROMETHEUS_CONTENT_TYPE },
      body: prometheusText(metrics),
    }),
  };
  return [ready, scrape];
}
