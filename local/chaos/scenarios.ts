import type { Scenario } from './scenario';
import { DEPLOYMENTS } from './scenarios/deployments';
import { KILLS } from './scenarios/kills';
import { LOST_STREAMS } from './scenarios/lost-streams';

/** Every row of design 7, in its order; names are unique. */
export const SCENARIOS: readonly Scenario[] = [...LOST_STREAMS, ...DEPLOYMENTS, ...KILLS];
