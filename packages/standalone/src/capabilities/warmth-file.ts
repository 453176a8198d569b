import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { SavedWarmth } from '@switchyard/capability-broker';
import { type Log, messageOf } from '@switchyard/kernel';

/** Nobody else needs to know who uses what. */
const privateMode = 0o600;

/** What was learned of use and load times, over restarts. It only makes things faster: what cannot be read is begun anew. */
export function openWarmthFile(
  log: Log,
  path: string,
): { readonly known: SavedWarmth; remember(learned: SavedWarmth): void } {
  return {
    known: readWarmth(path),
    remember: (learned) => {
      try {
        const draft = `${path}.new`;
        writeFileSync(draft, JSON.stringify(learned), { mode: privateMode });
        renameSync(draft, path);
      } catch (error) {
        log.write('warning', 'What was learned of capabilities could not be kept', { path, error: messageOf(error) });
      }
    },
  };
}

function readWarmth(path: string): SavedWarmth {
  try {
    const { loadMs, gaps }: Partial<Record<keyof SavedWarmth, object>> = JSON.parse(readFileSync(path, 'utf8'));
    return {
      loadMs: Object.fromEntries(Object.entries(loadMs ?? {}).filter(([, value]) => Number.isFinite(value))),
      gaps: Object.fromEntries(Object.entries(gaps ?? {}).filter(([, value]) => areGaps(value))),
    };
  } catch {
    return { loadMs: {}, gaps: {} };
  }
}

function areGaps(value: unknown): boolean {
  const { bins, beyond } = (value ?? {}) as { readonly bins?: unknown; readonly beyond?: unknown };
  const isCount = (count: unknown): boolean => Number.isInteger(count) && Number(count) >= 0;
  return Array.isArray(bins) && bins.every(isCount) && isCount(beyond);
}
