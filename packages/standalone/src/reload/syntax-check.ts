import { type Clock, withDeadline } from '@switchyard/kernel';
import type { ProcessPort } from '@switchyard/sidecar';

export interface SyntaxCheckDeps {
  readonly clock: Clock;
  readonly processes: ProcessPort;
}

export interface SyntaxCheckOptions {
  /** The Node that runs the app. */
  readonly executable: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute paths of scripts; the most likely ones first. */
  readonly files: readonly string[];
}

export interface SyntaxProblem {
  /** `file:line`, the file as an absolute path. */
  readonly place: string;
  /** The error, and the line of code with a mark below. */
  readonly text: string;
}

/** A check takes as long as Node starts. */
const maxFiles = 24;
const maxAtOnce = 4;
const checkTimeoutMs = 3_000;

/**
 * What Node says of the first of the files that it cannot parse. Undefined when it can parse all of them. Needed because
 * Node does not tell a program where the syntax error of an ES module stands.
 */
export async function findSyntaxError(
  deps: SyntaxCheckDeps,
  options: SyntaxCheckOptions,
): Promise<SyntaxProblem | undefined> {
  const files = options.files.slice(0, maxFiles);
  for (let start = 0; start < files.length; start += maxAtOnce) {
    const batch = files.slice(start, start + maxAtOnce);
    const found = await Promise.all(batch.map((file) => check(deps, options, file)));
    const first = found.find((problem) => problem !== undefined);
    if (first !== undefined) return first;
  }
  return undefined;
}

function check(
  { clock, processes }: SyntaxCheckDeps,
  options: SyntaxCheckOptions,
  file: string,
): Promise<SyntaxProblem | undefined> {
  const { executable, directory, environment } = options;
  const checked = new Promise<SyntaxProblem | undefined>((resolve) => {
    const chunks: Uint8Array[] = [];
    let exitCode: number | null | undefined;
    let isRead = false;
    const settle = (): void => {
      if (exitCode === undefined || !isRead) return;
      resolve(exitCode === 0 ? undefined : errorIn(Buffer.concat(chunks).toString('utf8')));
    };
    const child = processes.spawn(
      { executable, arguments: ['--check', file], directory, environment },
      {
        output: (stream, chunk) => stream === 'stderr' && chunks.push(chunk),
        outputEnded(stream) {
          isRead ||= stream === 'stderr';
          settle();
        },
        exited(code) {
          exitCode = code;
          settle();
        },
        failed: () => resolve(undefined),
      },
    );
    clock.schedule(checkTimeoutMs, () => child.kill('SIGKILL'));
  });
  return withDeadline(clock, checkTimeoutMs, checked, () => new Error('the check takes too long')).catch(
    () => undefined,
  );
}

/** `file:line` and the lines below it, then a blank one and the error; the frames of Node itself are left out. */
function errorIn(stderr: string): SyntaxProblem | undefined {
  const [, place, code, message] = /^(\S.*:\d+)\n([\s\S]*?)^(SyntaxError: .*)$/m.exec(stderr) ?? [];
  if (place === undefined || code === undefined || message === undefined) return undefined;
  return { place, text: `${message}\n${code.trimEnd()}` };
}
