import { afterEach, describe, expect, it } from 'vitest';
import { sampleApp, sampleStatus, sampleTraffic, versions } from '../testing/control-samples.ts';
import { runCommandLine } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function run(words: readonly string[], script: Parameters<typeof openScriptedControl>[0]) {
  await server?.close();
  server = await openScriptedControl(script);
  return runCommandLine(words, { environment: server.environment });
}

const { codeVersion: _version, ...unborn } = sampleApp({ applicationId: 'till', state: 'empty', workers: 0, urls: [] });
const shop = sampleApp();
const dormant = sampleApp({ applicationId: 'depot', state: 'dormant', workers: 0, inFlight: 0 });

const twoPages = {
  listApplications: ({ query }: { query: Readonly<Record<string, string>> }) =>
    answer(query.after === undefined ? { applications: [dormant, shop], next: 'shop' } : { applications: [unborn] }),
  getTraffic: ({ parameters }: { parameters: Readonly<Record<string, string>> }) =>
    answer(
      sampleTraffic(
        parameters.app === 'shop'
          ? [
              { codeVersion: versions.new, weight: 90 },
              { codeVersion: versions.old, weight: 10 },
            ]
          : [
              { codeVersion: versions.new, weight: 100 },
              { codeVersion: versions.old, weight: 0 },
            ],
      ),
    ),
};

describe('switchyard ps', () => {
  it('lists apps of all pages with their traffic', async () => {
    const { exitCode, out } = await run(['ps'], twoPages);
    expect(exitCode).toBe(0);
    expect(out).toBe(
      [
        'APP    TENANT   VERSION           STATE    WORKERS  IN FLIGHT  TRAFFIC',
        `depot  contoso  ${versions.new}  dormant        0          0  100%`,
        `shop   contoso  ${versions.new}  active         2          1  ${versions.new}=90 ${versions.old}=10`,
        'till   contoso  -                 empty          0          1  -',
        '',
      ].join('\n'),
    );
  });

  it('writes JSON', async () => {
    const { out } = await run(['ps', '--json'], twoPages);
    const { applications } = JSON.parse(out);
    expect(applications).toMatchObject([
      { applicationId: 'depot', traffic: [{ weight: 100 }] },
      { applicationId: 'shop', traffic: [{ weight: 90 }, { weight: 10 }] },
      { applicationId: 'till', traffic: [] },
    ]);
  });

  it('lists the apps of a tenant, and says how to get one', async () => {
    const { out } = await run(['ps', '--tenant', 'contoso'], { listApplications: () => answer({ applications: [] }) });
    expect(out).toBe('There is no app yet. Deploy one: switchyard deploy <folder>\n');
    expect(server?.requests[0]?.query).toEqual({ tenant: 'contoso' });
  });

  it('shows an app that is deleted while it looks', async () => {
    const { exitCode, out } = await run(['ps'], {
      listApplications: () => answer({ applications: [shop] }),
      getTraffic: () => problem(404, 'APP_UNKNOWN', 'There is no such app.'),
    });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/shop .* -\n$/);
  });

  it('shows one app in full', async () => {
    const { out } = await run(['ps', 'shop'], { getStatus: () => answer(sampleStatus()) });
    expect(out).toContain("App 'shop'\n  tenant     contoso\n  state      active\n  stack      node 22 x64\n");
    expect(out).toContain(`${versions.new}  90%      indexed  2026-11-21T08:00:00.000Z  new prices\n`);
    expect(out).toContain('worker-1  9f8e7d6c5b4a3928  Ready          1  12.3 s    41.9 MB  node 22.9.0  north-1\n');
    expect(out).toContain('worker-2  9f8e7d6c5b4a3928  Ready          0  -         -        node 22.9.0\n');
    expect(out).toContain('hello     httpTrigger   GET,POST http://shop.localhost:7071/api/hello/{name?}\n');
  });

  it('shows an app that has nothing, and what is wrong with it', async () => {
    const status = sampleStatus({
      application: unborn,
      versions: [],
      workers: [],
      functions: [],
      error: 'The package is gone.',
    });
    const { out } = await run(['ps', 'till'], { getStatus: () => answer(status) });
    expect(out).toContain('  urls       -\n  error      The package is gone.\n');
    expect(out).toContain('No version yet.\n\nNo worker runs.\n\nNo functions.\n');
  });

  it('writes one app as JSON', async () => {
    const { out } = await run(['ps', 'shop', '--json'], { getStatus: () => answer(sampleStatus()) });
    expect(JSON.parse(out)).toEqual(sampleStatus());
  });

  it('reports what the platform complains of', async () => {
    const { exitCode, out, err } = await run(['ps', 'shop'], {
      getStatus: () => problem(404, 'APP_UNKNOWN', "There is no app 'shop'.", 'Deploy it.'),
    });
    expect({ exitCode, out, err }).toEqual({ exitCode: 2, out: '', err: "There is no app 'shop'. Deploy it.\n" });
    const denied = await runCommandLine(['ps', 'Shop'], { environment: server?.environment ?? {} });
    expect(denied).toMatchObject({ exitCode: 2, err: expect.stringContaining("'shop' would do.") });
  });
});

describe('commands without a platform', () => {
  it.each([
    ['deploy', '.'],
    ['ps'],
    ['logs', 'shop'],
    ['invoke', 'shop', 'hello'],
    ['settings', 'shop'],
    ['traffic', 'shop'],
    ['rollback', 'shop'],
    ['delete', 'shop', '--yes'],
    ['trace', 'shop'],
    ['debug', 'shop'],
  ])('say how to start one: %s', async (...words) => {
    const { exitCode, out, err } = await runCommandLine([...words, '--data-dir', '/nowhere']);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
    expect(err).toContain("No platform runs here: '/nowhere/control.json' is not there. Start it with: switchyard up.");
  });

  it.each([['logs'], ['invoke'], ['settings'], ['traffic'], ['rollback'], ['delete'], ['trace'], ['debug']])(
    'ask for the app: %s',
    async (name) => {
      const { exitCode, err } = await runCommandLine([name]);
      expect(exitCode).toBe(2);
      expect(err).toContain(`The app is missing: switchyard ${name} <app>`);
    },
  );
});
