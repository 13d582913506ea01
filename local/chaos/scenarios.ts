import type { Scenario } from './scenario';
import { DEPLOYMENTS } from './scenarios/deployments';
import { GLADIA_SESSIONS } from './scenarios/gladia-sessions';
import { GLADIA_SOCKETS } from './scenarios/gladia-sockets';
import { HOSTILE_MESSAGES } from './scenarios/hostile-messages';
import { KILLS } from './scenarios/kills';
import { LOST_STREAMS } from './scenarios/lost-streams';
import { ROLLOVERS } from './scenarios/rollovers';
import { STORE_FAULTS } from './scenarios/store-faults';
import { STORE_OUTAGE } from './scenarios/store-outage';
import { THOUSAND_DROPS } from './scenarios/thousand-drops';

/** Every row of design 7; names are unique. */
export const SCENARIOS: readonly Scenario[] = [
  ...GLADIA_SOCKETS,
  ...THOUSAND_DROPS,
  ...GLADIA_SESSIONS,
  ...ROLLOVERS,
  ...LOST_STREAMS,
  ...HOSTILE_MESSAGES,
  ...STORE_FAULTS,
  ...STORE_OUTAGE,
  ...DEPLOYMENTS,
  ...KILLS,
];
