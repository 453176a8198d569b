/**
 * How long an installation takes to heal by itself: an app whose traffic somebody has moved by hand to a version that a
 * manifest does not want, and an app whose worker process was killed. From outside, with real processes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { httpFunction } from '../e2e/app-folder.ts';
import { type AppFolder, openAppFolder } from '../e2e/command-line.ts';
import { UpProcess } from '../e2e/up-process.ts';
import type { BenchRow } from './bench-row.ts';
import { quantile } from './statistics.ts';

/** One break each: what is undone by itself is not undone again at once. */
const apps = ['shop', 'blog', 'mail', 'forum', 'stock'] as const;

/** Between two calls that look whether it answers right again. */
const lookMs = 10;

/** Longer is no healing. */
const patienceMs = 60_000;

const pause = (waitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, waitMs));

/** Runs the benchmark; takes about a minute. */
export async function benchHeal(): Promise<{ readonly rows: readonly BenchRow[]; readonly notes: readonly string[] }> {
  const folder = await openAppFolder();
  let up: UpProcess | undefined;
  try {
    up = await UpProcess.start();
    const installation = new Installation(up, folder);
    await installation.fill();
    const moves: number[] = [];
    const healed: number[] = [];
    const killed: number[] = [];
    for (const app of apps) {
      const { moveMs, healMs } = await installation.breakTraffic(app);
      moves.push(moveMs);
      healed.push(healMs);
    }
    for (const app of apps) killed.push(await installation.kill(app));
    return {
      rows: [
        toRow('traffic moved by hand: found and undone, p95', healed, moves, 'moving it'),
        toRow('killed worker: answers again, p95', killed, moves, 'moving traffic'),
      ],
      notes: ['A break is timed from the moment it is in effect until the app answers right again.'],
    };
  } finally {
    await up?.close();
    await folder.remove();
  }
}

function toRow(name: string, ours: readonly number[], floor: readonly number[], against: string): BenchRow {
  const [mine, reference] = [quantile(ours, 0.95), quantile(floor, 0.5)];
  return { name, ours: mine, reference, unit: 'ms', against, ratio: mine / reference, target: '< 2,000 ms' };
}

class Installation {
  readonly #up: UpProcess;
  readonly #folder: AppFolder;
  readonly #versions = new Map<string, { readonly good: string; readonly other: string }>();

  constructor(up: UpProcess, folder: AppFolder) {
    this.#up = up;
    this.#folder = folder;
  }

  /** Every app has a version that its manifest wants, and another one. */
  async fill(): Promise<void> {
    for (const app of apps) {
      const good = await this.#deploy(app, '"good " + process.pid');
      this.#versions.set(app, { good, other: await this.#deploy(app, '"other " + process.pid', '--no-promote') });
    }
    const services = apps.map((id) => ({ id, version: this.#versions.get(id)?.good }));
    const manifest = {
      apiVersion: 'switchyard.dev/v1',
      tenant: 'default',
      environment: { remediation: 'auto' },
      services,
    };
    const file = join(this.#folder.path, 'desired.yaml');
    await writeFile(file, JSON.stringify(manifest));
    await this.#up.do('apply', '-f', file);
    await until(
      async () =>
        !/requested|provisioning|configuring|rolling-out|gating|promoting/.test(await this.#up.do('deployments')),
    );
  }

  async breakTraffic(app: string): Promise<{ readonly moveMs: number; readonly healMs: number }> {
    const { other = '' } = this.#versions.get(app) ?? {};
    const { endpoint, token } = await this.#up.control();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ weights: [{ codeVersion: other, weight: 100 }] });
    const askedAt = performance.now();
    const { status } = await fetch(`${endpoint}/v1/apps/${app}/traffic`, { method: 'POST', headers, body });
    if (status !== 200) throw new Error(`the traffic of ${app} could not be moved: ${status}`);
    const brokenAt = performance.now();
    await until(async () => (await this.#answer(app)).startsWith('good'));
    return { moveMs: brokenAt - askedAt, healMs: performance.now() - brokenAt };
  }

  async kill(app: string): Promise<number> {
    const pid = Number((await this.#answer(app)).split(' ')[1]);
    process.kill(pid, 'SIGKILL');
    const killedAt = performance.now();
    await until(async () => {
      const text = await this.#answer(app);
      return text.startsWith('good') && text !== `good ${pid}`;
    });
    return performance.now() - killedAt;
  }

  async #answer(app: string): Promise<string> {
    const { status, text } = await this.#up.call(app, '/hello');
    return status === 200 ? text : '';
  }

  async #deploy(app: string, answer: string, ...flags: readonly string[]): Promise<string> {
    await this.#folder.write({
      [`${app}/host.json`]: { version: '2.0', extensions: { http: { routePrefix: '' } } },
      [`${app}/package.json`]: { name: app, type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
      [`${app}/app.js`]: httpFunction('hello', answer),
    });
    const told = await this.#up.do('deploy', `${this.#folder.path}/${app}`, '--stack', 'node', '--json', ...flags);
    return /"codeVersion":"([0-9a-f]{16})"/.exec(told)?.[1] ?? '';
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > untilMs) throw new Error('it does not heal');
    await pause(lookMs);
  }
}
