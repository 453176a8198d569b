/** Probes as they are really made: over HTTP, TCP and gRPC, by a program, and by asking the compute target. */
import { execFile } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { ComputeTargets, ProbeKinds, ProbeVerdict } from '@switchyard/control-plane';
import { messageOf } from '@switchyard/kernel';

export interface ProbeKindsDeps {
  readonly targets: ComputeTargets;
  /** Redirects are not followed: they are an answer. */
  readonly fetch: (
    url: string,
    options: { readonly signal: AbortSignal; readonly redirect: 'manual' },
  ) => Promise<Response>;
  /** What programs get of the environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const passed: ProbeVerdict = { outcome: 'passed', message: '' };

export function createProbeKinds({ targets, fetch, environment }: ProbeKindsDeps): ProbeKinds {
  return {
    async http({ url, status }, { signal }) {
      try {
        const response = await fetch(url, { signal, redirect: 'manual' });
        await response.body?.cancel();
        const isGood =
          status === undefined ? response.status >= 200 && response.status < 400 : response.status === status;
        return isGood ? passed : failed(`the answer was ${response.status}`);
      } catch (thrown) {
        return failed(causeOf(thrown));
      }
    },
    tcp: ({ host, port }, { signal }) =>
      new Promise((resolve) => {
        const socket = connect({ host, port, signal });
        socket.once('connect', () => {
          socket.destroy();
          resolve(passed);
        });
        socket.once('error', (error) => resolve(failed(error.message)));
      }),
    exec: ({ command, timeoutMs }, { signal }) =>
      new Promise((resolve) => {
        const [program = '', ...words] = command;
        const options = { signal, timeout: timeoutMs, env: { ...environment }, killSignal: 'SIGKILL' as const };
        execFile(program, words, options, (error) => {
          if (error === null) resolve(passed);
          // A program that is not there says nothing about the service.
          else if (typeof error.code === 'string') resolve({ outcome: 'unknown', message: error.message });
          else resolve(failed(`${program} ended with ${error.code ?? error.signal ?? 'an error'}`));
        });
      }),
    grpc: ({ host, port, service = '' }, { signal }) => askGrpcHealth({ host, port, service }, signal),
    async target({ serviceId: other }, { serviceId, computeTarget }) {
      const asked = other ?? serviceId;
      // What a service depends on may run elsewhere.
      const names = other === undefined ? [computeTarget] : targets.names;
      for (const name of names) {
        const found = await targets.find(name).get(asked);
        if (found === undefined) continue;
        if (found.status === 'unknown') return { outcome: 'unknown', message: `nobody knows yet how ${asked} is` };
        const isGood = found.status === 'running' || found.status === 'degraded';
        return isGood ? passed : failed(`${asked} is ${found.status}`);
      }
      return failed(`${asked} is not there`);
    },
  };
}

function failed(message: string): ProbeVerdict {
  return { outcome: 'failed', message };
}

/** What fetch throws hides the reason in its cause. */
function causeOf(thrown: unknown): string {
  const { cause } = thrown as { readonly cause?: unknown };
  return messageOf(cause instanceof Error ? cause : thrown);
}

/** `grpc.health.v1.HealthCheckResponse.ServingStatus` SERVING. */
const serving = 1;

/** Calls `grpc.health.v1.Health/Check`; its two messages have one field each, so no codec is needed. */
function askGrpcHealth(
  of: { readonly host: string; readonly port: number; readonly service: string },
  signal: AbortSignal,
): Promise<ProbeVerdict> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${of.host}:${of.port}`);
    const done = (verdict: ProbeVerdict): void => {
      session.destroy();
      resolve(verdict);
    };
    session.once('error', (error) => done(failed(error.message)));
    signal.addEventListener('abort', () => done(failed('no answer in time')), { once: true });
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const readStatus = (headers: NodeJS.Dict<string | string[]>): void => {
      status = headers['grpc-status']?.toString() ?? status;
    };
    call.on('response', readStatus);
    call.on('trailers', readStatus);
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('error', (error) => done(failed(error.message)));
    call.on('end', () => {
      if (status !== undefined && status !== '0') done(failed(`the call ended with gRPC status ${status}`));
      else done(verdictOf(Buffer.concat(chunks)));
    });
    const name = Buffer.from(of.service, 'utf8');
    const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([frame, message]));
  });
}

/** Five bytes of frame, then field 1 as a varint; an empty message is UNKNOWN. */
function verdictOf(answer: Buffer): ProbeVerdict {
  const status = answer.length >= 7 && answer[5] === 0x08 ? (answer[6] ?? 0) : 0;
  return status === serving ? passed : failed(`its status is ${status}, not SERVING`);
}
