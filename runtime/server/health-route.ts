import { HEALTH_PATH } from '../contract/endpoints';
import type { Route } from './http-route';

/** The process is up and its event loop turns. It asks nothing else: a busy relay, or one without keys, is not replaced. */
export const healthRoute: Route = {
  methods: ['GET', 'HEAD'],
  paths: [HEALTH_PATH],
  handle: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok\n' }),
};
