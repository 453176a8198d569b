import type { Log } from '@switchyard/kernel';
import type { JobHostStatus } from '@switchyard/runtime';
import type { TextSink } from '@switchyard/telemetry';
import { functionList } from '../output/function-list.ts';
import type { FailureReport } from './failure-report.ts';
import type { FunctionChanges } from './function-changes.ts';

/** A version took over. */
export interface Reloaded extends FunctionChanges {
  readonly status: JobHostStatus;
  readonly baseUrl: string;
  /** From the first change to the takeover. */
  readonly durationMs: number;
  /** What was changed, and how much more. */
  readonly paths: readonly string[];
  readonly more: number;
}

/** What `switchyard dev` tells about changed apps. */
export interface ReloadOutput {
  reloaded(event: Reloaded): void;
  /** The app, or its new version, does not run. */
  failed(applicationId: string, report: FailureReport, isServing: boolean): void;
  /** The next version fails for the same reason. */
  failedAgain(applicationId: string, report: FailureReport): void;
  /** The app's compiler found errors. */
  compiled(applicationId: string, errors: readonly string[]): void;
}

/** Of many files, so many are named. */
const maxNamed = 3;

export interface TextReloadOutputOptions {
  readonly console: TextSink;
  readonly errors: TextSink;
  readonly severalApps: boolean;
}

/** For people. */
export function createTextReloadOutput({ console, errors, severalApps }: TextReloadOutputOptions): ReloadOutput {
  const prefix = (applicationId: string): string => (severalApps ? `${applicationId}: ` : '');
  return {
    reloaded({ status, baseUrl, durationMs, paths, more, added, removed }) {
      const id = status.applicationId;
      console.write(`${prefix(id)}app reloaded in ${Math.round(durationMs)} ms${changed(paths, more)}\n`);
      if (added.length > 0) {
        const { rejected: _known, ...rest } = status;
        console.write(functionList({ ...rest, functions: added, rejected: [] }, baseUrl, `${prefix(id)}New functions`));
      }
      if (removed.length > 0) console.write(`${prefix(id)}Removed functions: ${removed.join(', ')}\n`);
    },
    failed(applicationId, { place, text }, isServing) {
      const title = isServing ? 'app not reloaded' : 'app not started';
      const rest = isServing ? 'The last good version goes on serving.' : 'It is tried again when a file changes.';
      const where = place === undefined ? '' : `${place} - `;
      errors.write(`\n${prefix(applicationId)}${title}: ${where}${indent(text)}\n  ${rest}\n\n`);
    },
    failedAgain(applicationId, { place }) {
      errors.write(
        `${prefix(applicationId)}app not reloaded: the same error${place === undefined ? '' : ` (${place})`}\n`,
      );
    },
    compiled: (applicationId, found) => errors.write(`\n${prefix(applicationId)}${found.join('\n')}\n\n`),
  };
}

/** For machines: the same as log records. */
export function createLogReloadOutput(log: Log): ReloadOutput {
  return {
    reloaded({ status, durationMs, paths, more, added, removed }) {
      const { applicationId, key } = status;
      const fields = { applicationId, jobHost: key, durationMs: Math.round(durationMs), changed: paths, more };
      log.write('information', 'App reloaded', { ...fields, added, removed });
    },
    failed(applicationId, { place, text }, isServing) {
      log.write('error', isServing ? 'App not reloaded' : 'App not started', { applicationId, place, error: text });
    },
    failedAgain(applicationId, { place }) {
      log.write('warning', 'App not reloaded for the same reason', { applicationId, place });
    },
    compiled: (applicationId, errors) => log.write('error', 'App not compiled', { applicationId, errors }),
  };
}

function changed(paths: readonly string[], more: number): string {
  const named = paths.slice(0, maxNamed);
  const rest = paths.length - named.length + more;
  return named.length === 0 ? '' : ` (${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''})`;
}

/** The lines after the first, two columns in. */
function indent(text: string): string {
  return text.split('\n').join('\n  ');
}
