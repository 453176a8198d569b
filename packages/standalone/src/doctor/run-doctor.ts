/** Looks at an app for what is different here: what it relies on and the decoupled model changes, and what is missing. */
import type { AppFacts } from './app-facts.ts';
import { checkBindings } from './checks/bindings.ts';
import { checkDotnet } from './checks/dotnet.ts';
import { checkFiles } from './checks/files.ts';
import { checkSettingNames } from './checks/settings.ts';
import { checkStorage } from './checks/storage.ts';
import type { Finding, Severity } from './finding.ts';
import { type FactsDeps, readAppFacts } from './read-app-facts.ts';

/** Every check. A new one is a file in `checks/` and one line here. */
const checks: readonly ((facts: AppFacts) => readonly Finding[])[] = [
  checkFiles,
  checkDotnet,
  checkBindings,
  checkSettingNames,
  checkStorage,
];

const order: readonly Severity[] = ['error', 'warning', 'note'];

/** What there is to say, the worst first. Rejects with a PlatformError when the folder is no function app. */
export async function runDoctor(directory: string, deps: FactsDeps): Promise<readonly Finding[]> {
  return examine(await readAppFacts(directory, deps));
}

/** What the facts say, each thing once. */
export function examine(facts: AppFacts): readonly Finding[] {
  const all = checks.flatMap((check) => check(facts));
  const once = new Map(all.map((finding) => [JSON.stringify(finding), finding]));
  return [...once.values()].sort((left, right) => order.indexOf(left.severity) - order.indexOf(right.severity));
}
