import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { nameOf, type SyntaxNode, walk } from '../syntax.ts';

/** Words that say nothing about what a file holds. */
const emptyWords = /(^|[-.])(utils?|helpers?|commons?|misc|stuff|shared|tmp|temp|old|new)(-|\.|$)/;

/** The one manager: everybody who knows the platform calls it so. */
const allowedManager = /^job-host-manager(\.|-)/;

/** Tools that read their configuration as a default export. */
const defaultExportFiles: readonly string[] = ['vitest.config.ts'];

/** Files are named for the one thing that they export, in kebab-case; exports have names. */
export const namesRule: Rule = {
  name: 'names',
  promise: 'Files are named for the one thing that they export, in kebab-case; exports have names.',
  check: (repository) =>
    repository.files
      .filter((file) => file.isCode)
      .flatMap((file) => [...fileNameFindings(file), ...exportFindings(file)]),
  good: [
    {
      'packages/runtime/src/job-host-manager.ts': 'export class JobHostManager {}',
      'packages/runtime/src/http/index.ts': 'export interface Item {}',
      'vitest.config.ts': 'export default {};',
    },
  ],
  bad: [
    { files: { 'packages/kernel/src/utils.ts': '' }, at: 'packages/kernel/src/utils.ts:1' },
    { files: { 'packages/kernel/src/string-helpers.ts': '' }, at: 'packages/kernel/src/string-helpers.ts:1' },
    { files: { 'packages/kernel/src/common/a.ts': '' }, at: 'packages/kernel/src/common/a.ts:1' },
    { files: { 'packages/kernel/src/worker-manager.ts': '' }, at: 'packages/kernel/src/worker-manager.ts:1' },
    { files: { 'packages/kernel/src/speed.tmp.ts': '' }, at: 'packages/kernel/src/speed.tmp.ts:1' },
    { files: { 'packages/kernel/src/someThing.ts': '' }, at: 'packages/kernel/src/someThing.ts:1' },
    { files: { 'packages/kernel/src/a.ts': '\nexport default 1;' }, at: 'packages/kernel/src/a.ts:2' },
    { files: { 'packages/kernel/src/a.ts': 'export { a as default };' }, at: 'packages/kernel/src/a.ts:1' },
    { files: { 'packages/kernel/src/a.ts': 'interface IClock {}' }, at: 'packages/kernel/src/a.ts:1' },
    { files: { 'packages/kernel/src/a.ts': 'class PodManager {}' }, at: 'packages/kernel/src/a.ts:1' },
  ],
};

function fileNameFindings(file: SourceFile): Finding[] {
  const at = { path: file.path, line: 1 };
  const parts = file.path.split('/');
  const empty = parts.find((part) => emptyWords.test(part));
  if (empty !== undefined)
    return [{ ...at, message: `'${empty}' says nothing about its content.`, fix: 'name it for what it holds.' }];
  if (/manager/.test(file.baseName) && !allowedManager.test(file.baseName))
    return [{ ...at, message: 'only the JobHostManager is a manager.', fix: 'name what it does.' }];
  if (!/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(file.baseName))
    return [{ ...at, message: `'${file.baseName}' is not kebab-case.`, fix: 'use lower case words and dashes.' }];
  return [];
}

function exportFindings(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.syntax, (node) => {
    const problem = problemOf(node, file);
    if (problem) findings.push({ path: file.path, line: file.lineAt(node.start), ...problem });
  });
  return findings;
}

function problemOf(node: SyntaxNode, file: SourceFile): Pick<Finding, 'message' | 'fix'> | undefined {
  const isDefault =
    node.type === 'ExportDefaultDeclaration' ||
    (node.type === 'ExportSpecifier' && nameOf(node.exported as SyntaxNode) === 'default');
  if (isDefault && !defaultExportFiles.includes(file.path))
    return { message: 'a default export has no name.', fix: 'export it by name.' };
  if (!/^(TSInterfaceDeclaration|TSTypeAliasDeclaration|ClassDeclaration)$/.test(node.type)) return undefined;
  const name = nameOf(node.id as SyntaxNode | undefined) ?? '';
  if (/^I[A-Z][a-z]/.test(name))
    return { message: `'${name}' carries an I prefix.`, fix: `call it '${name.slice(1)}'.` };
  if (name.endsWith('Manager') && name !== 'JobHostManager')
    return { message: `'${name}': only the JobHostManager is a manager.`, fix: 'name what it does.' };
  return undefined;
}
