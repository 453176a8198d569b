/** Prints what breaks the rules of the house: `node tools/tidy/main.ts`. Exits with 1 when something does. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toText } from './finding.ts';
import { readRepository } from './repository.ts';
import { rules } from './rules.ts';

const repository = readRepository(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const findings = rules.flatMap((rule) => rule.check(repository).map((finding) => `${toText(finding)} [${rule.name}]`));
for (const finding of findings) console.error(finding);
console.log(`tidy: ${rules.length} rules, ${repository.files.length} files, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
