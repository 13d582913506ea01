import type { Scenario } from './scenario';
import { DEPLOYMENTS } from './scenarios/deployments';
import { GLADIA_SESSIONS } from './scenarios/gladia-sessions';
import { GLADIA_SOCKETS } from './scenarios/gladia-sockets';
import { HOSTILE_MESSAGES } from './scenarios/hostile-messages';
import { KILLS } from './scenarios/kills';
import { LOST_STREAMS } from './scenarios/lost-streams';
import { STORE_FAULTS } from './scenarios/store-faults';

/** Every row of design 7; names are unique. */
export const SCENARIOS: readonly Scenario[] = [
  ...GLADIA_SOCKETS,
  ...GLADIA_SESSIONS,
  ...LOST_STREAMS,
  ...HOSTILE_MESSAGES,
  ...STORE_FAULTS,
  ...DEPLOYMENTS,
  ...KILLS,
];
