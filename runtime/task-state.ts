/** What runs this process, as far as it can be asked whether it will stop it. */
export interface TaskState {
  /** Calls back once, when it is known that this process will be stopped: well before SIGTERM, where that can be. */
  onStopping(listener: () => void): void;
  /** Asks no more. Safe to call twice. */
  close(): void;
}
