/**
 * The diagrams of docs/flows.md are what is said when an app gets its worker. With `SWITCHYARD_WRITE_FLOWS=1` they are
 * written anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { invocationSuccess } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { BindingWorld } from './binding-contract.ts';
import {
  type LateWorld,
  openAttachedBinding,
  openClassicBinding,
  openLateBinding,
  openMovedBinding,
} from './binding-worlds.ts';
import { FlowRecorder } from './flow-recorder.ts';
import { createHelloApplication } from './hello-application.ts';

const page = fileURLToPath(new URL('../../docs/flows.md', import.meta.url));

type Open = (settings: Readonly<Record<string, string>>, recorder: FlowRecorder) => BindingWorld | LateWorld;

/** An app is added, its worker answers a request, and another worker is asked for where the flow has two. */
async function record(open: Open, workers: number): Promise<string> {
  const recorder = new FlowRecorder();
  const world = open({ GREETING: 'hello' }, recorder);
  const { clock, runtime, fleet } = world;
  fleet.options = { onInvocation: () => invocationSuccess() };
  const settings = new Map([['FUNCTIONS_WORKER_PROCESS_COUNT', String(workers)]]);
  await clock.runUntil(runtime.addApplication({ ...createHelloApplication(), settings }));
  await clock.settle();
  const serving = runtime.status()[0]?.workers ?? [];
  expect(serving.map(({ state }) => state)).toEqual(new Array(workers).fill('ready'));
  for (let call = 0; call < workers; call += 1) await world.ask('/api/hello');
  const last = fleet.workers.findLast((worker) => serving.some(({ workerId }) => workerId === worker.workerId));
  const drawn = recorder.draw(last?.workerId ?? '');
  await clock.runUntil(world.close());
  return drawn;
}

function blockOf(name: string): RegExp {
  return new RegExp(`(<!-- recorded: ${name} -->\\n\`\`\`mermaid\\n)([\\s\\S]*?)(\\n\`\`\`)`);
}

describe('docs/flows.md', () => {
  test.each([
    ['initialization', openClassicBinding, 1],
    ['late', openLateBinding, 1],
    ['attached', openAttachedBinding, 1],
    ['one-to-n', openMovedBinding, 2],
  ] as const)('draws the flow %s as it is', async (name, open, workers) => {
    const drawn = await record(open, workers);
    const text = readFileSync(page, 'utf8');
    if (process.env.SWITCHYARD_WRITE_FLOWS === '1') {
      writeFileSync(
        page,
        text.replace(blockOf(name), (_all, head, _old, tail) => `${head}${drawn}${tail}`),
      );
    } else expect(blockOf(name).exec(text)?.[2]).toBe(drawn);
  });
});
