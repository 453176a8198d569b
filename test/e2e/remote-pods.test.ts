/** A Runtime and a pod that have nothing in common but a wire: the pod lives in a network namespace of its own. */
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Installation, type RuntimeHost } from './decoupled-processes.ts';
import { patienceMs, testApp } from './dev-process.ts';
import { OtherMachine, requireOtherMachine } from './other-machine.ts';

const namespacePart = requireOtherMachine();

describe.skipIf(namespacePart.skip)('a pod in a network of its own', () => {
  let installation: Installation;
  let machine: OtherMachine;
  let runtime: RuntimeHost;
  const tls = (name: string): readonly string[] => [
    ...['--tls-certificate', join(installation.folder, `${name}.crt`)],
    ...['--tls-key', join(installation.folder, `${name}.key`)],
  ];

  beforeEach(async () => {
    installation = await Installation.open();
    machine = await OtherMachine.open(77, installation.folder);
    for (const [name, address] of [
      ['runtime', machine.near],
      ['pod', machine.far],
    ] as const) {
      const { certificate, key } = createSelfSigned(name, [address]);
      await writeFile(join(installation.folder, `${name}.crt`), certificate);
      await writeFile(join(installation.folder, `${name}.key`), key);
    }
  });
  afterEach(async () => {
    await installation.close();
    machine.close();
  });

  const startPod = async (flags: readonly string[]): Promise<void> => {
    const app = { applicationId: 'echo', tenantId: 'contoso', scriptRoot: testApp('streaming-echo') };
    const trust = ['--runtime-ca', join(installation.folder, 'runtime.crt'), ...tls('pod')];
    await installation.startSidecar({
      workerId: 'w1',
      app,
      runtimeUrl: runtime.rpcUrl,
      node: machine.node,
      flags: [...trust, '--http-host', machine.far, ...flags],
    });
  };
  const startRuntime = async (...flags: readonly string[]): Promise<void> => {
    runtime = await installation.startRuntime({ flags: ['--rpc-host', machine.near, ...tls('runtime'), ...flags] });
  };
  const answered = async (status: number): Promise<void> => {
    const call = async () => (await runtime.call('echo', '/api/echo', { method: 'POST', body: 'x' })).status;
    await expect.poll(call, { timeout: patienceMs }).toBe(status);
  };

  it('streams HTTP in both directions over its sidecar’s own port, with TLS and a token', async () => {
    await startRuntime('--worker-network', `${machine.far}/32`, '--worker-ca', join(installation.folder, 'pod.crt'));
    await startPod([]);
    await answered(200);
    const options = { host: '127.0.0.1', port: runtime.port, path: '/api/echo', method: 'POST' };
    const outgoing = request({ ...options, headers: { host: 'echo.localhost' } });
    outgoing.write('first');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    const chunks = response[Symbol.asyncIterator]();
    // The answer has begun while the request goes on.
    expect(String((await chunks.next()).value)).toBe('first');
    outgoing.end('second');
    expect(String((await chunks.next()).value)).toBe('second');
    // Nothing of it went over this machine's loopback: the worker's own port is in another network.
    expect(machine.receivedBytes).toBeGreaterThan(0);
  });

  it('is not called where the Runtime was not told of its network, nor with a certificate that nobody signed', async () => {
    await startRuntime();
    await startPod([]);
    await answered(500);
    await expect.poll(() => runtime.process.output).toContain('--worker-network');
    await runtime.kill();
    runtime = await installation.startRuntime({
      after: runtime,
      flags: ['--rpc-host', machine.near, ...tls('runtime'), '--worker-network', machine.far],
    });
    await answered(500);
    // The worker waits for a request that nobody sends: that it does not run until its time is up is told at once.
    await expect.poll(() => runtime.process.output).toContain("Executed 'Functions.echo' (Failed");
    expect(runtime.process.output).not.toMatch(/Executed 'Functions.echo' \(Succeeded/);
  });
});
