import { existsSync } from 'node:fs';
import { ConfigError, loadConfig, type RelayConfig } from './config';
import { SETTINGS } from './contract/settings';
import { ecsTaskState } from './ecs-task-state';
import { onEndSignals } from './end-signals';
import { counted } from './model/counted';
import { createLogger, type Logger } from './observability/logger';
import { startRelay, type Relay } from './relay';
import { ConsoleSink } from './sinks/console-sink';
import { Terminal } from './sinks/terminal';
import { publicUrlFault, startUpNotes } from './start-up-notes';

// The AWS SDK warns about Node 20 on every client; the container runs Node 24.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const WRONG_SETTINGS = 2;

/** Secrets are in the configuration then, and no longer where a report of Node's or a child process would have them. */
function readConfig(): RelayConfig {
  if (process.env['NODE_ENV'] !== 'production' && existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  for (const [name, { secret }] of Object.entries(SETTINGS)) if (secret === true) delete process.env[name];
  return config;
}

async function main(): Promise<void> {
  const config = readConfig();
  const isForPeople =
    config.consoleTranscripts === 'on' || (config.consoleTranscripts === 'auto' && process.stdout.isTTY);
  const logger = createLogger(config.logLevel, isForPeople ? 2 : 1);
  const terminal = new Terminal(process.stdout, process.env);
  // A reader that has gone, such as `head`, costs the output and no call.
  process.stdout.on('error', () => undefined);
  const metadataUri = process.env['ECS_CONTAINER_METADATA_URI_V4'];
  const relay = await startRelay(config, {
    logger,
    ...(metadataUri === undefined
      ? {}
      : { taskState: ecsTaskState({ metadataUri, region: config.store.region, logger }) }),
    sinks: isForPeople ? [new ConsoleSink(terminal)] : [],
    environment: process.env,
    // Where people read stdout nobody collects metrics from it.
    ...(isForPeople ? {} : { writeMetrics: (line: string) => process.stdout.write(`${line}\n`) }),
  });
  endOnSignals(relay, logger, () => {
    if (isForPeople) lastNotes(config, relay).forEach((line) => terminal.line(line));
  });
  logger.info({ port: relay.port, adminPort: relay.adminPort }, 'Relay started');
  if (config.twilio.allowUnsignedStreams) {
    logger.warn('ALLOW_UNSIGNED_STREAMS=true: anybody who reaches this port can stream audio at your cost');
  }
  const urlFault = publicUrlFault(config.publicUrl);
  if (urlFault !== undefined) logger.warn(urlFault);
  if (isForPeople) startUpNotes(config, relay).forEach((line) => terminal.line(line));
}

/** What a person at the terminal should know before pressing Ctrl-C again. */
function lastNotes({ drainTimeoutMs }: RelayConfig, { metrics }: Relay): readonly string[] {
  const live = metrics.value('callsLive');
  if (live === 0) return [];
  const seconds = Math.ceil(drainTimeoutMs / 1_000);
  return [
    `Finishing ${counted(live, 'live call')}, up to ${seconds} s; Ctrl-C again ends at once and loses what is not stored.`,
  ];
}

/** The first signal drains; a second one ends at once. The process's boundary for faults is here as well. */
function endOnSignals(relay: Relay, logger: Logger, onFirst: () => void): void {
  const end = (exitCode: number): void => {
    relay.drain().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        logger.fatal({ err: error }, 'The drain failed');
        process.exit(1);
      },
    );
  };
  onEndSignals(
    () => {
      onFirst();
      end(0);
    },
    () => process.exit(1),
  );
  const onFault = (error: unknown): void => {
    logger.fatal({ err: error }, 'A fault that no call has caught: draining');
    end(1);
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}

main().catch((error: unknown) => {
  const lines =
    error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)];
  process.stderr.write(`The relay did not start:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  process.exit(error instanceof ConfigError ? WRONG_SETTINGS : 1);
});
