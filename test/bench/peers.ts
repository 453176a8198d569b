/**
 * The servers of other projects that say the same hello. They are large, so they are no dependencies of the repository:
 * the benchmark installs them by name into a temporary folder, once, and leaves their rows out when it cannot.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HelloServer } from './hello-servers.ts';
import { start } from './processes.ts';

const versions = { '@google-cloud/functions-framework': '5.0.5', workerd: '1.20261117.1' };

const installTimeoutMs = 120_000;

export type Peers =
  | { readonly kind: 'ready'; readonly servers: readonly HelloServer[] }
  | { readonly kind: 'missing'; readonly reason: string };

/** Installs the peers, unless an earlier run did. */
export function openPeers(): Peers {
  const folder = join(tmpdir(), `switchyard-bench-peers-${Object.values(versions).join('-')}`);
  try {
    if (!existsSync(join(folder, 'installed'))) install(folder);
  } catch (error) {
    return { kind: 'missing', reason: `npm could not install them: ${String(error).split('\n')[0]}` };
  }
  return { kind: 'ready', servers: [functionsFramework(folder), workerd(folder)] };
}

function install(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: versions }));
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', args, { cwd: folder, timeout: installTimeoutMs, stdio: 'pipe' });
  writeFileSync(join(folder, 'installed'), '');
}

function functionsFramework(folder: string): HelloServer {
  return {
    name: `functions-framework ${versions['@google-cloud/functions-framework']}`,
    path: '/',
    start(port) {
      copyFileSync(fixture('functions-framework.cjs'), join(folder, 'index.js'));
      const main = join(folder, 'node_modules', '@google-cloud', 'functions-framework', 'build', 'src', 'main.js');
      return start(process.execPath, [main, '--target=hello', `--port=${port}`], { cwd: folder });
    },
  };
}

function workerd(folder: string): HelloServer {
  return {
    name: `workerd ${versions.workerd}`,
    path: '/',
    start(port) {
      copyFileSync(fixture('workerd.js'), join(folder, 'worker.js'));
      writeFileSync(join(folder, 'config.capnp'), workerdConfig(port));
      return start(workerdBinary(folder), ['serve', 'config.capnp'], { cwd: folder });
    },
  };
}

/** The package for this platform holds the program itself; the `workerd` script would only start it. */
function workerdBinary(folder: string): string {
  const scope = join(folder, 'node_modules', '@cloudflare');
  const platform = readdirSync(scope).find((name) => name.startsWith('workerd-'));
  return join(scope, platform ?? '', 'bin', 'workerd');
}

function workerdConfig(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ ( name = "hello", worker = ( modules = [ ( name = "worker.js", esModule = embed "worker.js" ) ],
                                            compatibilityDate = "2026-01-01" ) ) ],
  sockets = [ ( name = "http", address = "127.0.0.1:${port}", http = (), service = "hello" ) ],
);
`;
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/peers/${name}`, import.meta.url));
}
