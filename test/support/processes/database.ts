import { startDynalite } from '../dynalite.ts';
import { endWithParent, startChild, tellParent, type Child } from './child.ts';

/** A DynamoDB in a process of its own. */
export interface DatabaseProcess {
  endpoint: string;
  tableName: string;
  child: Child;
}

/** Starts the embedded database, in memory, with the token table in it. */
export function startDatabase(): Promise<DatabaseProcess> {
  return new Promise((resolve) => {
    const child = startChild<{ endpoint: string; tableName: string }>(import.meta.filename, {}, (place) => resolve({ ...place, child }));
  });
}

if (import.meta.main) {
  endWithParent();
  const { endpoint, tableName } = await startDynalite();
  tellParent({ endpoint, tableName });
}
