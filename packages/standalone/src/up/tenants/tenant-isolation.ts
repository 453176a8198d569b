/** Decides whether the workers of each tenant get an operating system user of their own. */
import { type Clock, createDeferred, settlesWithin } from '@switchyard/kernel';
import type { ProcessPort, ProcessUser } from '@switchyard/sidecar';

export type TenantIsolation =
  /** Each tenant's workers run as its own user. */
  | { readonly kind: 'users' }
  /** All workers run as this process's user; `reason` says why in the middle of a sentence. */
  | { readonly kind: 'shared'; readonly reason: string };

export interface TenantIsolationDeps {
  readonly clock: Clock;
  readonly processes: ProcessPort;
  /** True when this process may become anyone. */
  readonly isRoot: boolean;
}

export interface TenantIsolationOptions {
  /** Tenants trust each other: no users are needed. */
  readonly trusted: boolean;
  /** Some user of a tenant, for trying out what such a user may do. */
  readonly user: ProcessUser;
  /** What workers read: their programs and the folder with the apps. */
  readonly paths: readonly string[];
  readonly executable: string;
  /** A folder that everyone may enter. */
  readonly directory: string;
}

const probeMs = 10_000;

const unreadableExit = 3;

/** A program that ends well when it can read everything that it is given. */
const probe = `
for (const path of process.argv.slice(1)) {
  try { require('fs').accessSync(path, require('fs').constants.R_OK); }
  catch { console.error(path); process.exit(${unreadableExit}); }
}`;

/** Tries it out: as root in a user namespace, or with everything under a private home, other users get nowhere. */
export async function decideTenantIsolation(
  deps: TenantIsolationDeps,
  options: TenantIsolationOptions,
): Promise<TenantIsolation> {
  if (options.trusted) return { kind: 'shared', reason: 'tenants trust each other here' };
  if (!deps.isRoot)
    return { kind: 'shared', reason: 'only root may start the workers of each tenant as a user of its own' };
  const reason = await tryOut(deps, options);
  return reason === undefined ? { kind: 'users' } : { kind: 'shared', reason };
}

async function tryOut(
  { clock, processes }: TenantIsolationDeps,
  { executable, paths, directory, user }: TenantIsolationOptions,
): Promise<string | undefined> {
  let stderr = '';
  let kill = (): void => {};
  const run = new Promise<string | undefined>((resolve) => {
    const errorsEnded = createDeferred<void>();
    const launch = { executable, arguments: ['-e', probe, '--', ...paths], directory, environment: {}, user };
    const handle = processes.spawn(launch, {
      output: (stream, chunk) => {
        if (stream === 'stderr') stderr += Buffer.from(chunk).toString('utf8');
      },
      outputEnded: (stream) => {
        if (stream === 'stderr') errorsEnded.resolve();
      },
      exited: (exitCode) => void errorsEnded.promise.then(() => resolve(verdictOf(exitCode, stderr.trim()))),
      failed: (reason) => resolve(`no program can be started as another user (${reason})`),
    });
    kill = () => handle.kill('SIGKILL');
  });
  if (await settlesWithin(clock, probeMs, run)) return await run;
  kill();
  return 'a program of another user did not end in time';
}

function verdictOf(exitCode: number | null, unreadable: string): string | undefined {
  if (exitCode === 0) return undefined;
  return exitCode === unreadableExit
    ? `another user cannot read '${unreadable}'`
    : `a program of another user ended with exit code ${exitCode}`;
}
