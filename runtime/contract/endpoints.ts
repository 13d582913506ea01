/** The doors of the relay (docs: README, "Routes"). `MEDIA_PATH` is a setting. */
export const VOICE_PATH = '/voice';
export const STREAM_STATUS_PATH = '/stream-status';
export const HEALTH_PATH = '/health';
/** On the admin port only. */
export const READY_PATH = '/ready';
export const METRICS_PATH = '/metrics';
