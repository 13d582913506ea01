import { runTranscripts } from './transcripts/run-transcripts';
import { wantsColor } from './transcripts/text-style';

// The AWS SDK warns about Node 20 on every client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', () => process.exit(0));

void runTranscripts(process.argv.slice(2), {
  environment: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  color: wantsColor(process.stdout, process.env),
  signal: stop.signal,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
