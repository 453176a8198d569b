import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '@switchyard/kernel';
import type { TextSink } from '@switchyard/telemetry';
import type { DevOutput } from './dev-output.ts';
import { coreToolsFunctionList } from './function-list.ts';

export interface CoreToolsOutputOptions {
  readonly console: TextSink;
  readonly errors: TextSink;
  /** Lines with a time stamp; every filter must let it through. */
  readonly log: Log;
  readonly verbose: boolean;
}

/** An instance id of the official host: 32 hexadecimal digits. */
const instanceIdLength = 32;

/**
 * The lines of the official tools, for what reads them: editors wait for the lease line, scripts for the list of
 * functions or for `Job host started`.
 */
export function createCoreToolsOutput({ console, errors, log, verbose }: CoreToolsOutputOptions): DevOutput {
  return {
    listening: (url) => console.write(`Listening on ${url}.\n`),
    keysIn: (path) => console.write(`Function keys are in ${path}\n`),
    note: (_applicationId, text) => console.write(`${text}\n`),
    serving(status, baseUrl) {
      console.write(coreToolsFunctionList(status, baseUrl));
      if (!verbose) console.write('For detailed output, run func with --verbose flag.\n');
      log.write('information', 'Job host started');
      const instanceId = instanceIdOf(status.applicationId);
      log.write('information', "Host lock lease acquired by instance ID '{instanceId}'.", { instanceId });
    },
    failed: (error) => errors.write(`${error.message}\n`),
    ready() {},
    stopping: () => log.write('information', 'Stopping host...'),
  };
}

/** The same for the same app on the same machine, as the official host has it. */
function instanceIdOf(applicationId: string): string {
  const digest = createHash('sha256').update(`${hostname()}/${applicationId}`).digest('hex');
  return digest.slice(0, 8).toUpperCase().padStart(instanceIdLength, '0');
}
