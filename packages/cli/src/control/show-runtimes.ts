/** What `runtimes` shows. */
import type { RuntimeList } from '@switchyard/protocol/control-api';
import { toCell, toTable } from './table.ts';

/** One line per Runtime. */
export function describeRuntimes({ runtimes, maximum }: RuntimeList): string {
  const table = toTable(
    ['RUNTIME', 'KIND', 'STATE', 'REGION', 'TENANT', 'WORKERS', 'LISTENERS', 'MEMORY', 'APPS'],
    runtimes.map((runtime) => [
      ...[runtime.id, runtime.kind, runtime.state, runtime.region ?? '-', runtime.dedicatedTo ?? '(any)'],
      `${runtime.workers} of ${runtime.maxWorkers}`,
      runtime.listeners,
      runtime.memoryUtilization === undefined ? '-' : `${Math.round(runtime.memoryUtilization * 100)} %`,
      runtime.applications.length === 0 ? '-' : toCell(runtime.applications.join(' ')),
    ]),
  );
  return `${table}${runtimes.length} of ${maximum} Runtimes\n`;
}
