import type { Fleet } from '../../local/fleet';
import { Canaries } from '../support/canaries';
import {
  babble,
  badStarts,
  itemsWithoutLegs,
  knockOnDoors,
  outputsOf,
  parameterCall,
  startCanaryFleet,
  webhookCall,
  type Item,
} from '../support/canary-fleet';
import { startOtlpReceiver } from '../support/otlp-receiver';

/** Relays start as processes, and what waits for them says after 30 s what it waited for. */
jest.setTimeout(60_000);

let fleet: Fleet | undefined;
let collector: Awaited<ReturnType<typeof startOtlpReceiver>> | undefined;
afterEach(async () => {
  await fleet?.close();
  await collector?.close();
});

/** Where a canary is told that has no place there. */
function leaksIn(canaries: Canaries, outputs: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(outputs).flatMap(([output, text]) =>
    canaries.foundIn(text).map((place) => `${place}, in ${output}`),
  );
}

/** What may be in the table: who speaks, and what was said. */
const TRANSCRIPT = /^(CALL|SEGMENT#|RESULT#)/;
const TOLD = ['transcript', 'summary', 'caller', 'called number'];

function leaksInTable(canaries: Canaries, items: readonly Item[]): readonly string[] {
  return items.flatMap((item) => {
    const isTranscript = TRANSCRIPT.test(String(item['itemKey']));
    const found = canaries.foundIn(JSON.stringify(item));
    return found
      .filter((place) => !isTranscript || !TOLD.includes(place))
      .map((place) => `${place}, in ${String(item['itemKey'])}`);
  });
}

test('nothing that is secret or was said comes out anywhere but in the transcript', async () => {
  const canaries = new Canaries();
  collector = await startOtlpReceiver();
  const { fleet: started, told } = await startCanaryFleet(canaries, { OTLP_TRACES_URL: collector.url });
  fleet = started;
  fleet.gladia.faults.http.push({
    times: 1,
    answer: { status: 500, message: canaries.sentence('Gladia 500') },
  });
  fleet.gladia.faults.http.push({ times: 1, answer: 'invalid-json' });
  fleet.gladia.faults.sessions = {
    oddMessages: ['malformed-json', 'error-frame'],
    cuts: [
      {
        afterBytes: 8_000,
        how: { closeCode: 4500, reason: canaries.sentence('Gladia close') },
        ackLast: true,
      },
    ],
  };
  const calls = [webhookCall(fleet, told), parameterCall(fleet, canaries, told)];
  for (const call of calls) await call.events.waitFor('started');
  // Before the rest, which may take longer than the call.
  const [live] = fleet.ownersOf(calls[0]!);
  for (const call of calls) babble(call, canaries);
  await badStarts(fleet, canaries);
  const answers = await knockOnDoors(fleet, canaries);
  await fleet.waitFor(() => fleet!.gladia.sessions.some(({ resumes }) => resumes > 0), { what: 'a resume' });
  for (const { request } of calls.flatMap(({ streams }) => streams)) {
    const { ticket } = request.parameters;
    if (ticket !== undefined) canaries.known(`ticket ${ticket.slice(-8)}`, ticket);
  }
  const during = await outputsOf(live!);
  await fleet.remove(live!.index, 'SIGTERM first');
  await Promise.all(calls.map(({ over }) => over));
  const stored = await Promise.all(calls.map((call) => fleet!.completed(call)));
  const outputs: Record<string, string> = {
    answers: answers.join('\n'),
    metrics: during['metrics'] ?? '',
    traces: collector.bodies.join('\n'),
  };
  for (const relay of fleet.relays) {
    const told = Object.entries(await outputsOf(relay));
    for (const [name, text] of told) outputs[`${name} of relay ${relay.index}`] = text;
  }
  // The canaries were really there.
  for (const { segments, call } of stored) {
    expect(segments.map(({ text }) => text)).toContain(told.words);
    expect(call).toMatchObject({ from: told.from, to: told.to });
  }
  expect(answers.filter((answer) => !/^HTTP\/1\.1 (204|400|403|404|413|431) /.test(answer))).toEqual([]);
  expect(outputs['log of relay 0']).toContain('Leg ended');
  expect(outputs['traces']).toContain('"name"');
  expect(leaksIn(canaries, outputs)).toEqual([]);
  expect(leaksInTable(canaries, await itemsWithoutLegs(fleet))).toEqual([]);
});
