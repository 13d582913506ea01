import { storeErrorHint, storeErrorKind, storeErrorName } from './store-error';

/** The store did not answer, or refused. */
export class CallStoreError extends Error {
  override readonly name = 'CallStoreError';
  /** The same request may work later. */
  readonly retryable: boolean;

  constructor(action: string, cause: unknown) {
    const hint = storeErrorHint(cause);
    super(`${action}: ${storeErrorName(cause)}${hint === undefined ? '' : ` (${hint})`}`, { cause });
    this.retryable = storeErrorKind(cause) === 'retry';
  }
}
