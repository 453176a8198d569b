import ignore from 'ignore';
import { readConfigurationText } from './read-configuration-text.ts';

export const ignoreFileName = '.funcignore';

/** Decides what of an app's folder stays out of its package. */
export interface IgnoreRules {
  /** `path` is relative to the app's folder, with slashes and without one at its end. */
  leavesOut(path: string, kind: 'file' | 'folder'): boolean;
}

/**
 * Never part of a package, whatever .funcignore says: secrets of a developer's machine, its history, and our own
 * files. Compared without case, since some file systems do not tell it.
 */
const neverPacked: ReadonlySet<string> = new Set(['.git', '.switchyard', 'local.settings.json']);

/** Left out unless .funcignore takes them back. */
const defaultPatterns = ['node_modules/.cache/', '**/node_modules/.cache/'];

/** Rules from the text of a .funcignore, which has the grammar of .gitignore. */
export function createIgnoreRules(text: string): IgnoreRules {
  const rules = ignore({ ignorecase: false })
    .add(defaultPatterns)
    .add(text.replace(/^\uFEFF/, ''));
  return {
    leavesOut(path, kind) {
      const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
      return neverPacked.has(name) || rules.ignores(kind === 'folder' ? `${path}/` : path);
    },
  };
}

/** The rules of an app's folder; the defaults alone when it has no .funcignore. */
export async function readIgnoreRules(directory: string): Promise<IgnoreRules> {
  return createIgnoreRules((await readConfigurationText(directory, ignoreFileName)) ?? '');
}
