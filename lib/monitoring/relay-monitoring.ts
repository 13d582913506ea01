import { Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { alarmName, ALARMS, type AlarmDeclaration } from './alarms';
import { AlarmTopic } from './alarm-topic';
import { MetricSources, type MonitoredResources } from './metric-sources';
import { RelayDashboard } from './relay-dashboard';
import { SAVED_QUERIES } from './saved-queries';

export interface RelayMonitoringProps extends MonitoredResources {
  /** The service never has fewer tasks. */
  readonly minTasks: number;
  /** The relay's: what it logs, and the metrics within. */
  readonly logGroup: Pick<ILogGroup, 'logGroupName'>;
  /** Gets every alarm, once its owner has agreed. */
  readonly alarmEmail?: string;
}

/** What tells people: alarms, the topic they go to, a dashboard, and the log queries that docs/runbook.md names. */
export class RelayMonitoring extends Construct {
  readonly topic: ITopic;
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: RelayMonitoringProps) {
    super(scope, id);
    const { alarmEmail, logGroup, service } = props;
    const sources = new MetricSources(props);
    this.topic = new AlarmTopic(this, 'Alarms', alarmEmail === undefined ? {} : { email: alarmEmail }).topic;
    const action = new SnsAction(this.topic);
    const alarms = ALARMS.map((declaration) => {
      const alarm = new Alarm(this, declaration.id, {
        ...alarmProps(declaration, props.minTasks),
        alarmName: alarmName(Stack.of(this).stackName, declaration),
        metric: sources.metric(declaration.metric, {
          period: declaration.periodSeconds,
          statistic: declaration.statistic,
        }),
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      // The service names those that roll it back, so they are there first. The others wait for what they watch:
      // before its first task runs, no data is no news.
      if (declaration.rollsBack) service.node.addDependency(alarm);
      else alarm.node.addDependency(service);
      return alarm;
    });
    this.#saveQueries(logGroup);
    this.dashboardUrl = new RelayDashboard(this, 'Board', { sources, alarms, logGroup }).url;
  }

  #saveQueries(logGroup: RelayMonitoringProps['logGroup']): void {
    for (const { name, query } of SAVED_QUERIES) {
      new CfnQueryDefinition(this, `Query${name.charAt(0)}`, {
        name: `${Stack.of(this).stackName}/${name}`,
        logGroupNames: [logGroup.logGroupName],
        queryString: query,
      });
    }
  }
}

function alarmProps(
  alarm: AlarmDeclaration,
  minTasks: number,
): {
  alarmDescription: string;
  threshold: number;
  comparisonOperator: ComparisonOperator;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  treatMissingData: TreatMissingData;
} {
  const { id, severity, description, threshold, missing, periods = 1, datapoints = periods } = alarm;
  const isBelow = 'below' in threshold;
  const value = isBelow ? threshold.below : threshold.atLeast;
  return {
    alarmDescription: `${severity.toUpperCase()}: ${description} What to do: docs/runbook.md#${id}`,
    threshold: value === 'least tasks' ? minTasks : value,
    comparisonOperator: isBelow
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: periods,
    datapointsToAlarm: datapoints,
    treatMissingData: missing === 'breaching' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  };
}
