import { Stack, type StackProps } from 'aws-cdk-lib';
import type { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { Network } from './constructs/network';
import { RelayEndpoint } from './constructs/relay-endpoint';
import { RelayService } from './constructs/relay-service';
import { rollbackAlarmNames } from './monitoring/alarms';
import { RelayMonitoring } from './monitoring/relay-monitoring';
import { addRelayOutputs } from './relay-outputs';
import type { CallscriptSettings } from './settings';
import type { StoreStack } from './store-stack';

export interface RelayStackProps extends StackProps {
  readonly settings: CallscriptSettings;
  readonly store: StoreStack;
  readonly image: ContainerImage;
}

/**
 * The relay: everything between Twilio and the table. It holds no data, but the URL that people paste into Twilio, so
 * it is protected from deletion as the store is.
 */
export class RelayStack extends Stack {
  constructor(scope: Construct, id: string, { settings, store, image, ...props }: RelayStackProps) {
    super(scope, id, {
      description: 'Callscript: the relay from Twilio to Gladia',
      ...props,
      terminationProtection: true,
    });
    const network = new Network(this, 'Network', settings);
    const endpoint = new RelayEndpoint(this, 'Endpoint', { network, settings });
    const { cluster, service, logGroup } = new RelayService(this, 'Relay', {
      settings,
      network,
      endpoint,
      store,
      image,
      rollbackAlarmNames: rollbackAlarmNames(this.stackName),
    });
    const { loadBalancer, targetGroup } = endpoint;
    const { dashboardUrl } = new RelayMonitoring(this, 'Monitoring', {
      cluster,
      service,
      logGroup,
      loadBalancer,
      targetGroup,
      table: store.transcripts,
      minTasks: settings.tasks.least,
      ...(settings.alarmEmail === undefined ? {} : { alarmEmail: settings.alarmEmail }),
    });
    addRelayOutputs(this, { settings, store, endpoint, dashboardUrl });
  }
}
