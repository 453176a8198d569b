/**
 * Writes docs/errors.md from the error catalogues of all packages.
 *
 *     node tools/error-docs.ts             writes the page
 *     node tools/error-docs.ts --check     fails when the page differs
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ErrorDefinition, Retry } from '@switchyard/kernel';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(repository, 'docs', 'errors.md');
const condition = '--conditions=switchyard-source';

/** The catalogue of one package. */
export interface PackageErrors {
  readonly packageName: string;
  readonly definitions: Readonly<Record<string, ErrorDefinition>>;
}

/** Loads every errors.ts. */
export async function readCatalogues(): Promise<PackageErrors[]> {
  const files = globSync('packages/*/src/**/errors.ts', { cwd: repository }).sort();
  const catalogues = new Map<string, Record<string, ErrorDefinition>>();
  for (const file of files) {
    const module: object = await import(pathToFileURL(join(repository, file)).href);
    const packageName = file.replaceAll('\\', '/').split('/')[1] ?? '';
    for (const value of Object.values(module)) {
      if (!isCatalogue(value)) continue;
      catalogues.set(packageName, { ...catalogues.get(packageName), ...value.definitions });
    }
  }
  return [...catalogues].map(([packageName, definitions]) => ({ packageName, definitions }));
}

/** The page for these catalogues. */
export function toPage(catalogues: readonly PackageErrors[]): string {
  const parts = [
    '# Errors',
    '',
    'Every failure that Switchyard reports has a code. `blame` says whose turn it is: `user` (the app or the command),',
    '`dependency` (storage, network), `platform` (a defect of ours: please report it). `retry` says whether the same call',
    'may be tried again. Words in braces are filled in. This page is generated from the catalogues in',
    '`packages/*/src/**/errors.ts` by `node tools/error-docs.ts`.',
  ];
  for (const { packageName, definitions } of catalogues) {
    parts.push('', `## ${packageName}`);
    const codes = Object.entries(definitions).sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [code, definition] of codes) parts.push('', ...entry(code, definition));
  }
  return `${parts.join('\n')}\n`;
}

function entry(code: string, { message, blame, retry, http, grpc, exit }: ErrorDefinition): string[] {
  const facts = [`blame: ${blame}`, `retry: ${retryText(retry)}`, `HTTP ${http}`, `gRPC ${grpc}`, `exit code ${exit}`];
  return [`### ${code}`, '', ...message.split('\n').map((line) => `> ${line}`.trimEnd()), '', facts.join(' · ')];
}

function retryText(retry: Retry): string {
  return typeof retry === 'string' ? retry : `after ${retry.afterMs} ms`;
}

function isCatalogue(value: unknown): value is { definitions: Record<string, ErrorDefinition> } {
  return typeof value === 'object' && value !== null && 'definitions' in value && 'create' in value;
}

async function main(): Promise<void> {
  const wanted = toPage(await readCatalogues());
  if (!process.argv.includes('--check')) writeFileSync(page, wanted);
  else if (!existsSync(page) || readFileSync(page, 'utf8') !== wanted) {
    console.error('docs/errors.md is out of date. Run: node tools/error-docs.ts');
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The catalogues import other packages by name; this condition makes the names mean their sources.
  if (process.execArgv.includes(condition)) await main();
  else {
    const again = [condition, ...process.argv.slice(1)];
    process.exitCode = spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1;
  }
}
