import { RECOGNITION_TIMING } from '../../runtime/speech/recognition-timing';

// How long a session may live is up to Gladia and no setting: here three hours pass in seconds.
const [rolloverAfterMs, rolloverWaitMs] = process.argv.slice(2).map(Number);
Object.assign(RECOGNITION_TIMING, { rolloverAfterMs, rolloverWaitMs });

void import('../../runtime/main.js');
