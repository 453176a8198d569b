/** The workers of the control plane as flags name them. */
import { type WorkerName, workerNames } from '@switchyard/protocol/control-words';
import { controlErrors } from './errors.ts';

/** Names may stand in one word, with commas between them; all when none stands there, and none at all with `none`. */
export function toWorkers(words: readonly string[]): readonly WorkerName[] {
  const names = words.flatMap((word) => word.split(',')).filter((name) => name !== '');
  const known: readonly string[] = workerNames;
  const unknown = names.find((name) => !known.includes(name) && name !== 'none');
  if (unknown !== undefined) {
    throw controlErrors.create('WORKER_UNKNOWN', { name: unknown.slice(0, 80), known: known.join(', ') });
  }
  return names.length === 0 ? workerNames : workerNames.filter((name) => names.includes(name));
}
