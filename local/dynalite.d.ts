declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Directory of the database; without it the data is in memory. */
    path?: string;
    /** Time a table takes to be created. */
    createTableMs?: number;
  }

  export default function dynalite(options?: DynaliteOptions): Server;
}
