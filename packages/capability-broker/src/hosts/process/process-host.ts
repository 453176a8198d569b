import { spawn } from 'node:child_process';
import { LineTransport, openSession } from '@switchyard/capabilities';
import { createDeferred, type Log } from '@switchyard/kernel';
import type { HostConnection, HostEnd } from '../host-contract.ts';
import { asHost, type RemoteHost } from '../remote-host.ts';
import { hostSession, lostHost } from '../session-limits.ts';

export interface ProcessHostOptions {
  /** What messages call it. */
  readonly shard: string;
  readonly executable: string;
  readonly parameters: readonly string[];
  /** All that the process sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How many bytes of a line that a capability prints are kept. */
const maxLineLength = 4_096;

/** A host in a process of its own, which speaks over stdio; the program may be of any language. */
export function openProcessHost({ log }: { readonly log: Log }, options: ProcessHostOptions): HostConnection {
  const { shard, executable, parameters, environment } = options;
  const child = spawn(executable, [...parameters], { env: { ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8').slice(0, maxLineLength).trimEnd();
    log.write('information', 'A capability printed', { shard, text });
  });
  const ended = createDeferred<HostEnd>();
  const transport = new LineTransport({ input: child.stdout, output: child.stdin }, lostHost(shard));
  const session = openSession<RemoteHost>(transport, hostSession);
  let asked = false;
  const finish = (reason: string): void => {
    transport.lose(reason);
    ended.resolve({ reason: asked ? 'the broker stopped it' : reason, expected: asked });
  };
  child.on('error', (error) => finish(`'${executable}' did not start: ${error.message}`));
  child.on('exit', (code, signal) => finish(`its process ended with ${signal ?? `code ${code}`}`));
  return {
    host: asHost(session.main),
    dedicated: true,
    pid: child.pid,
    ended: ended.promise,
    kill: async () => {
      asked = true;
      child.kill('SIGKILL');
      await ended.promise;
    },
  };
}
