import { startDynalite } from '../dynalite.ts';
import { endWithParent, settingsOf, startChild, tellParent, type Child } from './child.ts';

/** A DynamoDB in a process of its own. */
export interface DatabaseProcess {
  endpoint: string;
  tableName: string;
  child: Child;
}

/** Starts the embedded database, in memory, with the token table in it. */
export function startDatabase(tableName = 'tokens'): Promise<DatabaseProcess> {
  return new Promise((resolve) => {
    const child = startChild<{ endpoint: string }>(import.meta.filename, { tableName }, ({ endpoint }) =>
      resolve({ endpoint, tableName, child }),
    );
  });
}

if (import.meta.main) {
  endWithParent();
  const { endpoint } = await startDynalite(settingsOf<{ tableName: string }>());
  tellParent({ endpoint });
}
