import { setTimeout as wait } from 'node:timers/promises';

/** What is used of `level`, the database under dynalite. */
interface Database {
  open(): Promise<void>;
  close(): Promise<void>;
}
interface LevelModule {
  readonly Level: new (directory: string) => Database;
}

const RETRY_MS = 50;

/**
 * Waits until no other process has the database in `directory` open. dynalite itself ends the process, with an error
 * nobody understands, when it finds the directory locked.
 *
 * @throws naming the directory, when it is still in use after `waitMs` or cannot be opened at all
 */
export async function waitForStoreLock(directory: string, waitMs: number): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const error = await openOnce(directory);
    if (error === undefined) return;
    if (field(error, 'code') !== 'LEVEL_LOCKED') {
      throw new Error(`The store in ${directory} cannot be opened`, { cause: error });
    }
    if (Date.now() >= deadline) {
      throw new Error(
        `The store in ${directory} is in use by another process. ` +
          'Stop that one (another npm start, perhaps), or give this one another directory.',
        { cause: error },
      );
    }
    await wait(RETRY_MS);
  }
}

async function openOnce(directory: string): Promise<unknown> {
  const { Level } = require(
    require.resolve('level', { paths: [require.resolve('dynalite')] }),
  ) as LevelModule;
  const database = new Level(directory);
  try {
    await database.open();
  } catch (error) {
    return field(error, 'cause') ?? error;
  }
  await database.close();
  return undefined;
}

/** Not by `instanceof Error`: the database makes its errors in native code, and not always in this realm. */
function field(error: unknown, name: 'cause' | 'code'): unknown {
  return (Object(error) as Record<string, unknown>)[name];
}
