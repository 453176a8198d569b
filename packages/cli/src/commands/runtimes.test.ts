import type { RuntimeList } from '@switchyard/protocol/control-api';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../testing/run-control.ts';
import { answer, openScriptedControl, type ScriptedControl } from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const list: RuntimeList = {
  maximum: 3,
  runtimes: [
    {
      ...{ id: 'local', kind: 'local', state: 'ready', workers: 20, maxWorkers: 20, listeners: 2 },
      ...{ applications: ['blog', 'shop'], memoryUtilization: 0.31 },
    },
    {
      ...{ id: 'north-1', kind: 'joined', state: 'draining', workers: 3, maxWorkers: 40, listeners: 0 },
      ...{ applications: [], region: 'north', dedicatedTo: 'contoso', url: 'http://10.0.0.7:50051' },
    },
  ],
};

describe('switchyard runtimes', () => {
  it('lists them with what they have', async () => {
    server = await openScriptedControl({ listRuntimes: () => answer(list) });
    const { exitCode, out } = await runCommandLine(['runtimes'], { environment: server.environment });
    expect(exitCode).toBe(0);
    expect(out).toBe(
      [
        'RUNTIME  KIND    STATE     REGION  TENANT   WORKERS   LISTENERS  MEMORY  APPS',
        'local    local   ready     -       (any)    20 of 20          2  31 %    blog shop',
        'north-1  joined  draining  north   contoso  3 of 40           0  -       -',
        '2 of 3 Runtimes',
        '',
      ].join('\n'),
    );
  });

  it('writes JSON', async () => {
    server = await openScriptedControl({ listRuntimes: () => answer(list) });
    const { out } = await runCommandLine(['runtimes', '--json'], { environment: server.environment });
    expect(JSON.parse(out)).toEqual(list);
  });
});
