/** The kit on Switchyard's own agent, and on servers that are none. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openTestEngine, requireTestEngine, type TestEngine, testImage } from '@switchyard/node-agent/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentProcess } from '../../e2e/agent-process.ts';
import { allCases } from './all-cases.ts';
import { openPodman, requirePodman } from './podman-engine.ts';
import { runCases } from './run-cases.ts';

const { skip } = requireTestEngine();

describe.skipIf(skip)('the kit for node agents', () => {
  let engine: TestEngine;
  let agent: AgentProcess;
  const results = new Map<string, string | undefined>();
  const titleOf = ({ section, name }: { readonly section: string; readonly name: string }) => `${section}: ${name}`;
  beforeAll(async () => {
    engine = await openTestEngine();
    agent = await AgentProcess.start({ workerId: 'kit', socketPath: engine.socketPath });
    await runCases(allCases, { url: agent.url, image: testImage }, ({ case: tested, reason }) => {
      results.set(titleOf(tested), reason ?? 'passed');
    });
  }, 180_000);
  afterAll(async () => {
    try {
      await agent.close();
    } finally {
      await engine.close();
    }
  });

  it.each(allCases.map(titleOf))('%s', (title) => {
    expect(results.get(title)).toBe('passed');
  });
});

const { skip: noPodman } = requirePodman();

describe.skipIf(noPodman)('the kit for node agents, with Podman', () => {
  it('passes', async () => {
    const engine = await openPodman();
    try {
      const agent = await AgentProcess.start({ workerId: 'podman', socketPath: engine.socketPath });
      try {
        const failed: string[] = [];
        await runCases(allCases, { url: agent.url, image: testImage }, ({ case: { name }, reason }) => {
          if (reason !== undefined) failed.push(`${name}: ${reason}`);
        });
        expect(failed).toEqual([]);
      } finally {
        await agent.close();
      }
    } finally {
      await engine.close();
    }
  }, 180_000);
});

describe('the kit on something else', () => {
  let server: Server;
  let answer = '';
  beforeAll(async () => {
    server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());

  it.each(['{}', '<html>', '{"state":"finished","accepted":true,"status":"ok"}'])(
    'passes no case on a server that says %s',
    async (text) => {
      answer = text;
      const { port } = server.address() as AddressInfo;
      const passed: string[] = [];
      await runCases(allCases, { url: `http://127.0.0.1:${port}`, image: 'x' }, ({ case: tested, reason }) => {
        if (reason === undefined) passed.push(tested.name);
      });
      expect(passed).toEqual([]);
    },
  );
});
