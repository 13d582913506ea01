import { join } from 'node:path';
import { runChaos } from './chaos/run-chaos';

// The AWS SDK warns about Node 20 on every client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

// Relays are ended when this process exits, which a signal alone does not make it do.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

void runChaos(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  evidenceDirectory: join('.local', 'chaos'),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
