import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import { importsOf } from '../syntax.ts';
import { sdkFolders } from '../tables/sdk-folders.ts';

const table = 'tools/tidy/tables/sdk-folders.ts';

/** A third-party SDK appears in its adapter's folder alone. */
export const sdkFoldersRule: Rule = {
  name: 'sdk-folders',
  promise: "A third-party SDK appears in its adapter's folder alone.",
  check(repository) {
    const findings: Finding[] = [];
    for (const file of repository.files) {
      if (file.kind !== 'source') continue;
      for (const edge of importsOf(file.syntax)) {
        const row = sdkFolders.find(({ sdk }) => matches(sdk, edge.specifier));
        if (!row || row.folders.some((folder) => file.path.startsWith(folder))) continue;
        findings.push({
          path: file.path,
          line: file.lineAt(edge.offset),
          message: `'${edge.specifier}' may be imported in ${row.folders.join(', ')} alone.`,
          fix: `go through the adapter there; ${table} holds the table.`,
        });
      }
    }
    return findings;
  },
  good: [
    { 'packages/telemetry/src/a.ts': `import { pino } from 'pino';` },
    { 'packages/runtime/src/a.test.ts': `import { pino } from 'pino';` },
  ],
  bad: [
    { files: { 'packages/runtime/src/a.ts': `import { pino } from 'pino';` }, at: 'packages/runtime/src/a.ts:1' },
    {
      files: { 'packages/runtime/src/a.ts': `\nimport type { Q } from '@azure/storage-queue';` },
      at: 'packages/runtime/src/a.ts:2',
    },
  ],
};

function matches(sdk: string, specifier: string): boolean {
  if (sdk.endsWith('/*')) return specifier.startsWith(sdk.slice(0, -1));
  return specifier === sdk || specifier.startsWith(`${sdk}/`);
}
