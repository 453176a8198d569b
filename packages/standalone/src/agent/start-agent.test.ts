import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentOptions } from './agent-options.ts';
import { startAgent } from './start-agent.ts';

describe('startAgent', () => {
  let folder: string;
  let printed: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-start-'));
    printed = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const optionsWith = (settings: Readonly<Record<string, unknown>>): AgentOptions => ({
    configFile: undefined,
    flags: Object.entries({
      driver: 'mock',
      'listen.port': 0,
      worker_id: 'start-test',
      'workspace.path': join(folder, 'workspaces'),
      drain_seconds: 0,
      ...settings,
    }).map(([path, value]) => ({ path, value, flag: path })),
    workingDirectory: folder,
    environment: {},
    version: '1.0.0',
    output: 'text',
    verbose: false,
    console: { write: (text) => printed.push(text) },
  });
  /** Where an agent of that name has its workspaces unless it is told otherwise. */
  const defaultWorkspaces = (workerId: string): string =>
    join(tmpdir(), `switchyard-agent-${createHash('sha256').update(workerId).digest('hex').slice(0, 12)}`);

  it('says where it listens and whether anybody may use it', async () => {
    const open = await startAgent(optionsWith({}));
    expect(printed.join('')).toContain(`Node agent at ${open.url}. Press Ctrl-C to stop. Whoever reaches it`);
    await open.stop();
    printed = [];
    const guarded = await startAgent(optionsWith({ token: 'a-secret' }));
    expect(printed.join('')).not.toMatch(/Whoever|a-secret/);
    await guarded.stop();
    await expect(fetch(`${guarded.url}/info`)).rejects.toThrow();
  });

  it('takes a relative store from the working directory, and closes it', async () => {
    for (const round of [1, 2]) {
      const agent = await startAgent(optionsWith({ 'store.kind': 'sqlite', 'store.path': 'jobs.db' }));
      expect([round, existsSync(join(folder, 'jobs.db'))]).toEqual([round, true]);
      await agent.stop();
    }
  });

  it('leaves nothing open when it cannot start', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(startAgent(optionsWith({ 'listen.port': port }))).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    server.close();
    const store = { 'listen.port': port, 'store.kind': 'sqlite', 'store.path': 'no/such/folder/x' };
    await expect(startAgent(optionsWith(store))).rejects.toMatchObject({ code: 'JOB_STORE_UNUSABLE' });
    const agent = await startAgent(optionsWith({ 'listen.port': port }));
    await agent.stop();
  });

  it('uses no folder of workspaces that is a link', async () => {
    const path = defaultWorkspaces('linked');
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), path);
    try {
      const settings = { worker_id: 'linked', 'workspace.path': '' };
      await expect(startAgent(optionsWith(settings))).rejects.toMatchObject({ code: 'AGENT_FOLDER_FOREIGN' });
    } finally {
      rmSync(path);
    }
  });

  it.skipIf(process.getuid?.() !== 0)('uses no folder of workspaces of another user', async () => {
    const path = defaultWorkspaces('foreign');
    mkdirSync(path, { recursive: true });
    chownSync(path, 12_345, 12_345);
    try {
      const settings = { worker_id: 'foreign', 'workspace.path': '' };
      await expect(startAgent(optionsWith(settings))).rejects.toMatchObject({ code: 'AGENT_FOLDER_FOREIGN' });
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
