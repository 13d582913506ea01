import { parseCommandLine, UsageError } from '../../../local/transcripts/command-line';

test.each([
  [['list'], { name: 'list', json: false, days: 30, limit: 20 }],
  [['list', '--days', '3', '--limit=5', '--json'], { name: 'list', json: true, days: 3, limit: 5 }],
  [['show', 'CA1', '--table', 'calls'], { name: 'show', json: false, callSid: 'CA1', table: 'calls' }],
  [['tail'], { name: 'tail', json: false }],
  [['--json', 'tail', 'CA1'], { name: 'tail', json: true, callSid: 'CA1' }],
  [['--help'], { name: 'help' }],
  [['show', '-h'], { name: 'help' }],
])('%j is understood', (args, command) => {
  expect(parseCommandLine(args)).toEqual(command);
});

test.each([
  [[], /command is missing/],
  [['lst'], /no command "lst"/],
  [['show'], /show needs the CallSid/],
  [['list', 'CA1'], /too many: CA1/],
  [['show', 'CA1', 'CA2'], /too many: CA2/],
  [['list', '--days', '0'], /--days is "0"/],
  [['list', '--limit', 'many'], /--limit is "many"/],
  [['list', '--region', 'x'], /--region/],
  [['list', '--table'], /--table/],
])('%j is refused with a reason', (args, reason) => {
  expect(() => parseCommandLine(args)).toThrow(UsageError);
  expect(() => parseCommandLine(args)).toThrow(reason);
});
