import { CONTINUITY_TIMING } from '../../runtime/continuity/continuity-timing';
import { LegRegister, type LegRegisterOptions } from '../../runtime/continuity/leg-register';
import { Metrics } from '../../runtime/observability/metrics';
import { recordLog } from './recorded-log';

/** The register of a task without legs, at its real pace, which a test's clock makes short. */
export function legRegister(
  store: LegRegisterOptions['store'],
  more: Partial<LegRegisterOptions> = {},
): LegRegister {
  return new LegRegister({
    ...CONTINUITY_TIMING,
    store,
    taskId: 'task-1',
    checkpoints: () => [],
    isFlushed: () => true,
    onReplaced: () => undefined,
    now: () => Date.now(),
    wallNow: () => Date.now(),
    logger: recordLog().logger,
    metrics: new Metrics(),
    ...more,
  });
}
