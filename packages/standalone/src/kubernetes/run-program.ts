import { execFile } from 'node:child_process';
import type { ProgramEnd, RunProgram } from './credential-program.ts';

/** Far more than any credential has. */
const maxOutputBytes = 1024 * 1024;

const tooMuch = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';

/** @param own the environment of this process, which programs are given with theirs */
export function createRunProgram(own: Readonly<Record<string, string | undefined>>): RunProgram {
  return (program, words, { environment, timeoutMs }) =>
    new Promise<ProgramEnd>((resolve) => {
      const options = { env: { ...own, ...environment }, timeout: timeoutMs, maxBuffer: maxOutputBytes };
      const child = execFile(program, words, { ...options, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        if (error === null) resolve({ kind: 'exited', code: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ kind: 'exited', code: error.code, stdout, stderr });
        else if (error.code === tooMuch)
          resolve({ kind: 'stopped', reason: `it printed more than ${maxOutputBytes} bytes` });
        else if (error.killed === true) resolve({ kind: 'stopped', reason: `it has not ended within ${timeoutMs} ms` });
        else if (error.code === undefined) resolve({ kind: 'stopped', reason: `it was ended by ${error.signal}` });
        else resolve({ kind: 'not-started', reason: `it cannot be started (${error.code})` });
      });
      // Nobody is there to be asked for a password.
      child.stdin?.end();
    });
}
