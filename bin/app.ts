import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { RelayStack } from '../lib/relay-stack';
import { parseSettings, SettingsError, type CallscriptSettings } from '../lib/settings';
import { StoreStack } from '../lib/store-stack';

const WRONG_SETTINGS = 2;

/** Copies what `bin/bundle.ts` made; built when the stack is deployed, not at synth. */
function relayImage({ cpuArchitecture, baseImage }: CallscriptSettings): ContainerImage {
  return ContainerImage.fromAsset(join(__dirname, '..', 'runtime'), {
    platform: cpuArchitecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    buildArgs: { NODE_IMAGE: baseImage },
  });
}

function main(): void {
  const app = new App();
  const settings = parseSettings(app.node.getAllContext() as Record<string, unknown>);
  const store = new StoreStack(app, 'CallscriptStore', settings);
  new RelayStack(app, 'CallscriptRelay', { settings, store, image: relayImage(settings) });
}

try {
  main();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  const lines = error.problems.map((problem) => `  ${problem}\n`).join('');
  process.stderr.write(`The settings of the deployment (-c key=value, or "context" in cdk.json):\n${lines}`);
  process.exit(WRONG_SETTINGS);
}
