/** How entities are grouped into the service's batches. Pure. */
import type { TableAction } from './table-client.ts';

/** The service takes no more actions at once. */
const maxActions = 100;

/** And no more bytes (4 MiB); the rest is for what surrounds the entities. */
const maxBytes = 3_000_000;

/** What surrounds one entity in a batch, generously. */
const overheadBytes = 1_000;

interface OpenBatch {
  readonly actions: TableAction[];
  readonly rowKeys: Set<string>;
  sizeBytes: number;
}

/**
 * Batches of one partition each, with every row once. Entities of a partition keep their order; a row that comes again opens
 * a new batch, so that its later version is written later.
 */
export function planBatches(actions: readonly TableAction[]): readonly (readonly TableAction[])[] {
  const batches: TableAction[][] = [];
  const open = new Map<string, OpenBatch>();
  for (const action of actions) {
    const { partitionKey, rowKey } = action.entity;
    const sizeBytes = sizeOf(action);
    let batch = open.get(partitionKey);
    if (batch === undefined || batch.rowKeys.has(rowKey) || isFull(batch, sizeBytes)) {
      batch = { actions: [], rowKeys: new Set(), sizeBytes: 0 };
      open.set(partitionKey, batch);
      batches.push(batch.actions);
    }
    batch.actions.push(action);
    batch.rowKeys.add(rowKey);
    batch.sizeBytes += sizeBytes;
  }
  return batches;
}

function isFull(batch: OpenBatch, sizeBytes: number): boolean {
  return batch.actions.length >= maxActions || batch.sizeBytes + sizeBytes > maxBytes;
}

/** How large the action is in a batch, at most: a character is three bytes of UTF-8 at most. */
function sizeOf({ entity }: TableAction): number {
  let characters = entity.partitionKey.length + entity.rowKey.length;
  for (const [name, { text }] of entity.properties) characters += 2 * name.length + text.length + 30;
  return characters * 3 + overheadBytes;
}
