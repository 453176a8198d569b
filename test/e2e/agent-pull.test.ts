/** Images that come from a registry: a small one of the tests' own, on this machine. */
import { openTestEngine, packTestImage, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { job, shellJob } from './agent-jobs.ts';
import { AgentProcess } from './agent-process.ts';
import { ImageRegistry } from './image-registry.ts';

const { skip } = requireTestEngine();
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

describe.skipIf(skip)('a node agent that pulls images', () => {
  let engine: TestEngine;
  let registry: ImageRegistry;
  let agent: AgentProcess;
  let image: string;
  beforeEach(async () => {
    engine = await openTestEngine();
    registry = new ImageRegistry(packTestImage(), architecture);
    await registry.open();
    image = `${registry.host}/team/tool`;
  });
  afterEach(async () => {
    try {
      await agent.close();
    } finally {
      registry.close();
      await engine.close();
    }
  });
  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    agent = await AgentProcess.start({ workerId: 'pulls', socketPath: engine.socketPath, settings });
  };
  const run = (id: string, runtime: Readonly<Record<string, unknown>>) =>
    agent.run(job(id, ['echo', 'pulled'], { runtime }));

  it('pulls what is missing, names its digest, and goes by the pull policy after that', async () => {
    await start();
    const never = await run('never', { image: `${image}:1.0`, pull_policy: 'never' });
    expect([never.error?.code, registry.asked]).toEqual(['IMAGE_UNAVAILABLE', 0]);
    const missing = await run('missing', { image: `${image}:1.0` });
    expect(missing).toMatchObject({
      state: 'finished',
      stdout: 'pulled\n',
      image: { reference: `${image}:1.0`, id: expect.stringMatching(/^sha256:/), digest: registry.digest },
    });
    const asked = registry.asked;
    expect(asked).toBeGreaterThan(0);
    expect((await run('again', { image: `${image}:1.0` })).state).toBe('finished');
    expect(registry.asked).toBe(asked);
    expect((await run('always', { image: `${image}:1.0`, pull_policy: 'always' })).state).toBe('finished');
    expect(registry.asked).toBeGreaterThan(asked);
  });

  it('runs an image by its digest, and only that one where the policy names it', async () => {
    await start({ ALLOWED_IMAGES: `${image}@${registry.digest}` });
    expect((await run('digest', { image: `${image}@${registry.digest}` })).stdout).toBe('pulled\n');
    const tag = await agent.post(job('tag', ['echo'], { runtime: { image: `${image}:1.0` } }));
    expect(tag).toMatchObject({ status: 400, body: { error: { code: 'IMAGE_NOT_ALLOWED' } } });
  });

  it('says why an image cannot be pulled', async () => {
    await start();
    const unknown = await run('unknown', { image: `${image}:2.0` });
    expect(unknown).toMatchObject({ state: 'failed', exit_code: null, error: { code: 'IMAGE_UNAVAILABLE' } });
    expect(unknown.error?.message).toMatch(/team\/tool:2\.0' could not be pulled: .*unknown/);
    registry.close();
    const gone = await run('gone', { image: `${image}:1.0` });
    expect(gone.error?.code).toBe('IMAGE_UNAVAILABLE');
  });

  it('gives a pull up that does not end, and cancels one on request', async () => {
    await start({ PREPARE_SECONDS: '2' });
    registry.isStuck = true;
    const late = await run('late', { image: `${image}:1.0` });
    expect(late).toMatchObject({ state: 'failed', error: { code: 'IMAGE_UNAVAILABLE' } });
    expect(late.error?.message).toContain('prepare_seconds');
    await agent.submit(shellJob('cancelled', 'echo never', { runtime: { image: `${image}:1.0` } }));
    expect(await agent.cancel('cancelled')).toMatchObject({ status: 202 });
    expect(await agent.result('cancelled')).toMatchObject({
      state: 'failed',
      stdout: '',
      error: { code: 'CANCELLED' },
    });
  });
});
