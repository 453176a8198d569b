/** An agent in a container of its own, beside the jobs that it runs; and pods that reach what is outside of them. */
import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '@switchyard/node-agent/testing';
import { freePort } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellJob } from './agent-jobs.ts';
import { AgentProcess } from './agent-process.ts';

const { skip } = requireTestEngine();
const commandLine = fileURLToPath(new URL('../../packages/cli', import.meta.url));
/** Where this machine keeps what Node is linked against. */
const libraries = ['/lib', '/lib64', '/usr/lib'];

describe.skipIf(skip)('a node agent', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine();
  });
  afterAll(() => engine.close());

  it('runs in a container itself, with a folder of the host for its workspaces', async () => {
    const folder = join(engine.folder, 'mapped');
    await mkdir(folder);
    const port = await freePort();
    const environment = {
      SWITCHYARD_AGENT_LISTEN_PORT: String(port),
      SWITCHYARD_AGENT_WORKER_ID: 'inside',
      SWITCHYARD_AGENT_DOCKER_SOCKET: '/engine.sock',
      SWITCHYARD_AGENT_WORKSPACE_PATH: '/jobs',
      SWITCHYARD_AGENT_WORKSPACE_ENGINE_PATH: folder,
    };
    await engine.client.send({
      method: 'POST',
      path: '/containers/create',
      query: { name: 'the-agent' },
      json: {
        Image: testImage,
        Cmd: ['/node', '/cli/dist/bundle/main.mjs', 'agent'],
        Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        HostConfig: {
          NetworkMode: 'host',
          Binds: [
            ...libraries.map((path) => `${realpathSync(path)}:${path}:ro`),
            `${process.execPath}:/node:ro`,
            `${commandLine}:/cli:ro`,
            `${engine.socketPath}:/engine.sock`,
            `${folder}:/jobs`,
          ],
        },
      },
    });
    await engine.client.send({ method: 'POST', path: '/containers/the-agent/start' });
    try {
      const url = `http://127.0.0.1:${port}`;
      await expect
        .poll(() => fetch(`${url}/health`).then((answer) => answer.json(), String))
        .toMatchObject({ status: 'ok' });
      const script = 'cat $JOB_PAYLOAD_FILE; echo result > $JOB_WORKSPACE/out; cat $JOB_WORKSPACE/out';
      const body = JSON.stringify(shellJob('inner', script, { payload: { from: 'outside' } }));
      expect((await fetch(`${url}/jobs`, { method: 'POST', body })).status).toBe(202);
      const record = await (await fetch(`${url}/jobs/inner?wait_seconds=60`)).json();
      expect(record).toMatchObject({ state: 'finished', stdout: '{"from":"outside"}result\n' });
      await engine.client.send({ method: 'POST', path: '/containers/the-agent/stop', query: { t: 10 } });
      const { State: state } = (await engine.client.send({ method: 'GET', path: '/containers/the-agent/json' })) as {
        State: { ExitCode: number };
      };
      expect(state.ExitCode).toBe(0);
    } finally {
      await engine.client.send({ method: 'DELETE', path: '/containers/the-agent', query: { force: 1 } });
    }
  });

  describe('with a network for pods', () => {
    let server: Server;
    let agent: AgentProcess;
    beforeAll(async () => {
      server = createServer((_, response) => response.end('hello, pod\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const settings = { POD_NETWORK: 'host' };
      agent = await AgentProcess.start({ workerId: 'networks', socketPath: engine.socketPath, settings });
    });
    afterAll(async () => {
      server.close();
      await agent.close();
    });

    it('lets pods reach what jobs do not', async () => {
      const { port } = server.address() as AddressInfo;
      const script = `wget -q -O - http://127.0.0.1:${port}/ || exit 5`;
      const pod = await agent.run(shellJob('pod', script, { runtime: { lifecycle: 'pod' } }));
      expect(pod).toMatchObject({ state: 'finished', stdout: 'hello, pod\n' });
      expect(await agent.run(shellJob('job', script))).toMatchObject({ state: 'failed', exit_code: 5, stdout: '' });
      const asked = await agent.post(shellJob('asks', script, { runtime: { network: 'host' } }));
      expect(asked).toMatchObject({ status: 400, body: { error: { code: 'NETWORK_NOT_ALLOWED' } } });
    });
  });
});
