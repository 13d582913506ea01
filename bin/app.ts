import { App } from 'aws-cdk-lib';
import { StoreStack } from '../lib/store-stack';

const app = new App();
new StoreStack(app, 'CallscriptStore');
