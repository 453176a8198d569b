/** Services as containers: an installation, a node agent and a container engine, all of them real. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { openTestEngine, packTestImage, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { freePort } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { UpProcess } from './up-process.ts';

const { skip } = requireTestEngine();
const patience = { timeout: 90_000, interval: 250 };

/** A web server that says its version and a setting. */
async function buildImage(engine: TestEngine, tag: string): Promise<void> {
  const script = `busybox mkdir /tmp/www; echo "${tag} $COLOUR" > /tmp/www/index.html; exec httpd -f -p 127.0.0.1:$PORT -h /tmp/www`;
  const changes = `CMD ${JSON.stringify(['sh', '-c', script])}`;
  const query = { fromSrc: '-', repo: 'docker.io/acme/shop', tag, changes };
  const body = await engine.client.stream({ method: 'POST', path: '/images/create', query, tar: packTestImage() });
  for await (const _ of body);
}

describe.skipIf(skip)('the compute target on node agents', () => {
  let engine: TestEngine;
  let agent: AgentProcess;
  let up: UpProcess;
  let front = 0;
  beforeAll(async () => {
    engine = await openTestEngine();
    for (const tag of ['v1', 'v2']) await buildImage(engine, tag);
    const settings = { POD_NETWORK: 'host', PULL_POLICY: 'never' };
    agent = await AgentProcess.start({ workerId: 'e2e', socketPath: engine.socketPath, settings });
    front = await freePort();
    up = await UpProcess.start({
      environment: {
        SWITCHYARD_TARGET_NODE_AGENT_URLS: agent.url,
        SWITCHYARD_TARGET_NODE_AGENT_NETWORK: 'host',
        SWITCHYARD_TARGET_NODE_AGENT_LISTEN_PORT: String(front),
        SWITCHYARD_TARGET_NODE_AGENT_KEEP_MS: '500',
      },
    });
  }, 120_000);
  afterAll(async () => {
    await up?.close();
    await agent?.close();
    await engine?.close();
  });

  const apply = async (version: string, colour: string): Promise<void> => {
    const limits = { minReplicas: 2, maxReplicas: 4 };
    const service = {
      id: 'shop',
      target: 'node-agent',
      version: `docker.io/acme/shop:${version}`,
      limits,
      gateMs: 200,
    };
    const manifest = {
      ...{ apiVersion: 'switchyard.dev/v1', tenant: 'default', services: [{ ...service, configuration: 'words' }] },
      configurations: [{ id: 'words', values: { COLOUR: colour } }],
    };
    const file = join(up.dataFolder, 'desired.yaml');
    await writeFile(file, JSON.stringify(manifest));
    await up.do('apply', '-f', file);
  };
  const answer = (): Promise<string> =>
    new Promise((resolve) => {
      const options = {
        host: '127.0.0.1',
        port: front,
        path: '/index.html',
        headers: { host: `shop.localhost:${front}` },
      };
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString().trim()));
      });
      asked.on('error', (error) => resolve(error.message));
      asked.end();
    });
  const containers = async (): Promise<readonly { readonly Id: string }[]> =>
    (await engine.client.send({ method: 'GET', path: '/containers/json' })) as never;

  it('runs what a manifest names, replaces it version by version, and heals it', async () => {
    await apply('v1', 'red');
    await expect.poll(answer, patience).toBe('v1 red');
    expect(await containers()).toHaveLength(2);
    await apply('v2', 'red');
    await expect.poll(answer, patience).toBe('v2 red');
    await apply('v2', 'blue');
    await expect.poll(answer, patience).toBe('v2 blue');
    const before = new Set((await containers()).map(({ Id: id }) => id));
    const jobs = await agent.call<{ readonly jobs: readonly { job_id: string }[] }>(
      '/jobs?state=running&lifecycle=pod',
    );
    for (const { job_id: jobId } of jobs.body.jobs) await agent.call(`/jobs/${jobId}`, { method: 'DELETE' });
    const fresh = async () => (await containers()).filter(({ Id: id }) => !before.has(id)).length;
    await expect.poll(fresh, patience).toBeGreaterThanOrEqual(2);
    await expect.poll(answer, patience).toBe('v2 blue');
    expect(await up.do('get', 'services')).toContain('docker.io/acme/shop:v2');
  }, 240_000);
});
