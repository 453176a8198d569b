import type { Log } from '@switchyard/kernel';
import type { JobHostStatus } from '@switchyard/runtime';
import type { TextSink } from '@switchyard/telemetry';
import { curlLines, functionList } from './function-list.ts';

/** What `switchyard dev` tells about itself, beside the log lines. */
export interface DevOutput {
  /** HTTP is open; the apps are on their way. */
  listening(url: string): void;
  /** Callers need keys, and this file has them. */
  keysIn(path: string): void;
  /** Something about an app's files that the user should know. */
  note(applicationId: string, text: string): void;
  /** The app serves its functions, from now on. */
  serving(status: JobHostStatus, baseUrl: string): void;
  /** The app could not be started. */
  failed(error: Error): void;
  /** Every app serves or has failed. */
  ready(durationMs: number): void;
  stopping(): void;
}

export interface TextOutputOptions {
  readonly console: TextSink;
  readonly errors: TextSink;
  /** Names the app in each list. */
  readonly severalApps: boolean;
  /** Ends with command lines to try. */
  readonly showsCurlLines: boolean;
}

/** For people: the lists that the official tools print. */
export function createTextOutput({ console, errors, severalApps, showsCurlLines }: TextOutputOptions): DevOutput {
  const toTry: string[] = [];
  return {
    listening: (url) => console.write(`Listening on ${url}. Press Ctrl-C to stop.\n`),
    keysIn: (path) => console.write(`Function keys are in ${path}\n`),
    note: (applicationId, text) => console.write(`${severalApps ? `${applicationId}: ` : ''}${text}\n`),
    serving(status, baseUrl) {
      console.write(functionList(status, baseUrl, severalApps ? `Functions of ${status.applicationId}` : 'Functions'));
      toTry.push(...curlLines(status, baseUrl));
    },
    failed: (error) => errors.write(`${error.message}\n`),
    ready(durationMs) {
      const lines = showsCurlLines && toTry.length > 0 ? ['Try:', ...toTry.map((line) => `\t${line}`), ''] : [];
      console.write(`\n${[...lines, `Ready after ${Math.round(durationMs)} ms.`].join('\n')}\n`);
    },
    stopping: () => console.write('Stopping: what is in flight may end. Press Ctrl-C again to stop at once.\n'),
  };
}

/** For machines: the same as log records. */
export function createLogOutput(log: Log): DevOutput {
  return {
    listening: (url) => log.write('information', 'Listening', { url }),
    keysIn: (path) => log.write('information', 'Function keys', { path }),
    note: (applicationId, text) => log.write('information', 'Note', { applicationId, text }),
    serving(status, baseUrl) {
      const { applicationId, functions, rejected } = status;
      log.write('information', 'Functions', { applicationId, url: baseUrl, functions, rejected });
    },
    failed: (error) => log.write('error', 'App not started', { error: error.message }),
    ready: (durationMs) => log.write('information', 'Ready', { durationMs: Math.round(durationMs) }),
    stopping: () => log.write('information', 'Stopping'),
  };
}
