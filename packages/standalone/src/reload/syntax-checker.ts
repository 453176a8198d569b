import { join, relative } from 'node:path';
import type { Clock } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';
import type { Version } from './app-versions.ts';
import type { FailureReport } from './failure-report.ts';
import type { FolderPort } from './folder-port.ts';
import { findSuspectScripts, isScript } from './suspect-scripts.ts';
import { findSyntaxError } from './syntax-check.ts';
import type { WatchRules } from './watch-rules.ts';

export interface SyntaxCheckerDeps {
  readonly clock: Clock;
  readonly folders: FolderPort;
  readonly processes: ProcessPort;
}

/** Looks for the syntax error behind a failure. `paths` are what changed, newest first; without any, all scripts are looked at. */
export type SyntaxChecker = (
  version: Version,
  reason: string,
  paths: readonly string[],
) => Promise<FailureReport | undefined>;

/** Makes the checker of an app. Only Node's scripts are looked at: other languages name the place themselves. */
export function createSyntaxChecker(deps: SyntaxCheckerDeps, rules: () => WatchRules): SyntaxChecker {
  return async ({ application, worker }, reason, paths) => {
    const { directory, runtime } = application;
    if (runtime !== 'node') return undefined;
    const changed = paths.filter((path) => isScript(path, rules())).map((path) => join(directory, path));
    const files = changed.length > 0 ? changed : await findSuspectScripts(deps.folders, directory, rules());
    const { executable, environment } = worker.launch;
    const found = await findSyntaxError(deps, { executable, directory, environment, files });
    if (found === undefined || !isAbout(reason, found.text)) return undefined;
    const [, file = '', line = ''] = /^(.*):(\d+)$/.exec(found.place) ?? [];
    return { place: `${relative(directory, file).replaceAll('\\', '/')}:${line}`, text: found.text };
  };
}

/** A script with an error may lie about that no entry file loads; then the failure has another reason. */
function isAbout(reason: string, syntaxError: string): boolean {
  const [message = ''] = syntaxError.replace('SyntaxError: ', '').split('\n');
  return reason.includes(message);
}
