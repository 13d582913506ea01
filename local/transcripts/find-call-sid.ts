import type { CallReader } from '../../runtime/store/call-reader';
import { StoreAccessError } from './open-store';

const LEAST_ENDING = 6;
const MOST_CALLS = 10_000;

/**
 * The call that somebody names by its CallSid, or by the end of one as `tail` prints it.
 *
 * @returns undefined when there is none
 * @throws StoreAccessError when several of the last 30 days' calls end like this
 */
export async function findCallSid(
  reader: Pick<CallReader, 'readCall' | 'listCalls'>,
  given: string,
): Promise<string | undefined> {
  if ((await reader.readCall(given)) !== undefined) return given;
  if (given.length < LEAST_ENDING) return undefined;
  const calls = await reader.listCalls({ limit: MOST_CALLS });
  const found = calls.map(({ callSid }) => callSid).filter((callSid) => callSid.endsWith(given));
  if (found.length > 1) {
    throw new StoreAccessError(`Several calls end in ${given}, give more of one: ${found.join(', ')}`);
  }
  return found[0];
}
