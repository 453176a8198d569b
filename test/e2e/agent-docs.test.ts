/** The masters of docs/protocols/WORKER_HTTP_API.md, run as they stand there: curl and a shell, and nothing else. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '@switchyard/node-agent/testing';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from './agent-process.ts';

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const { skip: noCurl } = requirePart('curl', hasCurl, 'Install it: apt-get install curl');
const { skip: noEngine } = requireTestEngine();

const page = readFileSync(new URL('../../docs/protocols/WORKER_HTTP_API.md', import.meta.url), 'utf8');
const scripts = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, script = '']) => script);

describe.skipIf(noCurl || noEngine)('the masters of the documents', () => {
  let engine: TestEngine;
  let agent: AgentProcess;
  beforeAll(async () => {
    engine = await openTestEngine();
    agent = await AgentProcess.start({
      workerId: 'docs',
      socketPath: engine.socketPath,
      settings: { MAX_QUEUED_JOBS: '5' },
    });
  });
  afterAll(async () => {
    try {
      await agent.close();
    } finally {
      await engine.close();
    }
  });

  /** Runs a script with the address and the image of the tests. */
  const run = async (script: string): Promise<string> => {
    const adapted = script
      .replaceAll('http://127.0.0.1:9000', agent.url)
      .replaceAll('"busybox"', `"${testImage}"`)
      .replaceAll('\\"busybox\\"', `\\"${testImage}\\"`);
    const child = spawn('sh', ['-c', `agent=${agent.url}\n${adapted}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(0);
    return text;
  };

  it('submits, watches, fetches and cancels a job', async () => {
    const text = await run(scripts[0] ?? '');
    expect(text).toContain('{"accepted":true,"job_id":"hello-1","state":"queued"}');
    expect(text).toContain('event: output\ndata: {"stream":"stdout","text":"{\\"name\\":\\"you\\"}');
    expect(text).toContain('"state":"finished"');
    expect(text).toContain('nothing was changed');
  });

  it('keeps an agent busy whose queue is shorter than its work', async () => {
    const text = await run(scripts[1] ?? '');
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { state: string; stdout: string });
    expect(records.map(({ state, stdout }) => `${state} ${stdout}`)).toEqual(
      Array.from({ length: 20 }, (_, index) => `finished ${index + 1}`),
    );
  });

  it('are all that there are', () => {
    expect(scripts).toHaveLength(2);
  });
});
