/** `traffic`, `rollback` and `delete`: what changes which version serves. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../command.ts';
import { sampleApp, sampleStatus, sampleTraffic, versions } from '../testing/control-samples.ts';
import { runCommandLine, startCommand } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Script = Parameters<typeof openScriptedControl>[0];

async function run(line: string, script: Script, overrides: Partial<CommandContext> = {}) {
  await server?.close();
  server = await openScriptedControl(script);
  return runCommandLine(line.split(' '), { environment: server.environment, ...overrides });
}

const asked = (id: string) => server?.requests.filter((request) => request.id === id) ?? [];

const shared = sampleTraffic([
  { codeVersion: versions.new, weight: 90 },
  { codeVersion: versions.old, weight: 10 },
]);

const all: Script = {
  getStatus: () => answer(sampleStatus()),
  getTraffic: () => answer(shared),
  setTraffic: () => answer(shared),
  rollBack: () => answer(sampleTraffic([{ codeVersion: versions.old, weight: 100 }], 'rollback')),
};

describe('switchyard traffic', () => {
  it('shows how requests are shared', async () => {
    expect(await run('traffic shop', all)).toEqual({
      exitCode: 0,
      out: `VERSION           TRAFFIC\n${versions.new}  90%\n${versions.old}  10%\n`,
      err: '',
    });
    const none = { getTraffic: () => answer(sampleTraffic([])) };
    expect((await run('traffic shop', none)).out).toBe("App 'shop' has no traffic yet: deploy a version.\n");
  });

  it('shares them anew; the beginning of a version is enough', async () => {
    const { exitCode, out } = await run('traffic shop 9F8e=90 1a=10 --json', all);
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toEqual(shared);
    expect(asked('setTraffic')[0]?.body).toEqual({ weights: shared.weights });
  });

  it.each([
    ['9f=90', "'9f=90' is no share of the traffic: the shares add up to 90, not to 100."],
    ['9f=50 9f8e=50', `version ${versions.new} is given twice`],
    ['9f', 'it has no version or no percentage'],
    ['9f=101', 'the percentage must be a whole number from 0 to 100'],
    ['9f=1.5 1a=98.5', 'the percentage must be a whole number'],
    ['ee=100', `App 'shop' has no version 'ee'. It has: ${versions.new}, ${versions.old}.`],
  ])('refuses %s', async (shares, message) => {
    const { exitCode, err } = await run(`traffic shop ${shares}`, all);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
    expect(asked('setTraffic')).toEqual([]);
  });

  it('does not guess between versions that begin alike', async () => {
    const alike = sampleStatus();
    const [first, second] = alike.versions;
    if (first === undefined || second === undefined) throw new Error('the sample has two versions');
    const status = { ...alike, versions: [first, { ...second, codeVersion: `9f${versions.old.slice(2)}` }] };
    const { err } = await run('traffic shop 9f=100', { ...all, getStatus: () => answer(status) });
    expect(err).toContain("'9f' is the beginning of several versions of app 'shop'");
  });
});

describe('switchyard rollback', () => {
  it('goes back to the version before', async () => {
    const { exitCode, out } = await run('rollback shop', all);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: `VERSION           TRAFFIC\n${versions.old}  100%\n` });
    expect(asked('rollBack')[0]?.body).toEqual({});
    expect(asked('getStatus')).toEqual([]);
  });

  it('goes back to a version by its beginning', async () => {
    const { out } = await run('rollback shop 1a2b --json', all);
    expect(JSON.parse(out)).toMatchObject({ reason: 'rollback' });
    expect(asked('rollBack')[0]?.body).toEqual({ to: versions.old });
  });

  it('says why it does not', async () => {
    expect(await run('rollback shop ff', all)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("App 'shop' has no version 'ff'."),
    });
    const none = { ...all, getStatus: () => answer(sampleStatus({ versions: [] })) };
    expect((await run('rollback shop ff', none)).err).toContain('It has none yet: deploy it.');
    const refused = { rollBack: () => problem(409, 'NOTHING_BEFORE', 'No version had all the traffic before.') };
    expect(await run('rollback shop', refused)).toEqual({
      exitCode: 2,
      out: '',
      err: 'No version had all the traffic before.\n',
    });
  });
});

describe('switchyard delete', () => {
  const deletes: Script = {
    getApplication: () => answer(sampleApp()),
    deleteApplication: () => answer(undefined),
  };

  const terminal = (text: string) =>
    Object.assign(
      (async function* () {
        yield text;
      })(),
      { isTTY: true },
    );

  it('deletes without a question when it is told to', async () => {
    expect(await run('delete shop --yes', deletes)).toEqual({
      exitCode: 0,
      out: "App 'shop' is deleted.\n",
      err: '',
    });
    expect(asked('deleteApplication')).toHaveLength(1);
  });

  it('has a person type the name', async () => {
    const { exitCode, err } = await run('delete shop', deletes, { stdin: terminal('shop\n') });
    expect(exitCode).toBe(0);
    expect(err).toContain('Type its name to go on: ');
    expect(asked('deleteApplication')).toHaveLength(1);
  });

  it.each([
    ['another name', terminal('shoppe\n'), 'what was typed is not its name'],
    ['nothing', terminal(''), 'what was typed is not its name'],
    ['no terminal', undefined, 'nobody is there who could be asked'],
  ])('deletes nothing after %s', async (_what, stdin, reason) => {
    const { exitCode, err } = await run('delete shop', deletes, stdin === undefined ? {} : { stdin });
    expect(exitCode).toBe(2);
    expect(err).toContain(`App 'shop' was not deleted: ${reason}. Delete it without a question with --yes.`);
    expect(asked('deleteApplication')).toEqual([]);
  });

  it('deletes nothing after Ctrl-C at the question', async () => {
    server = await openScriptedControl(deletes);
    const waits = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }), isTTY: true };
    const command = startCommand(['delete', 'shop'], { environment: server.environment, stdin: waits });
    await command.printed('Type its name');
    command.stop();
    expect(await command.outcome).toMatchObject({ exitCode: 130 });
    expect(asked('deleteApplication')).toEqual([]);
  });

  it('learns before the question that there is no such app', async () => {
    const unknown = { getApplication: () => problem(404, 'APP_UNKNOWN', "There is no app 'shop'.") };
    expect(await run('delete shop', unknown, { stdin: terminal('shop\n') })).toEqual({
      exitCode: 2,
      out: '',
      err: "There is no app 'shop'.\n",
    });
  });
});
