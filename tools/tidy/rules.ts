import type { Rule } from './rule.ts';
import { ambientEffectsRule } from './rules/ambient-effects.ts';
import { completeLockfileRule } from './rules/complete-lockfile.ts';
import { errorCataloguesRule } from './rules/error-catalogues.ts';
import { fileLengthRule } from './rules/file-length.ts';
import { functionLengthRule } from './rules/function-length.ts';
import { honestTestsRule } from './rules/honest-tests.ts';
import { importsRule } from './rules/imports.ts';
import { invariantsRule } from './rules/invariants.ts';
import { languageNeutralRuntimeRule } from './rules/language-neutral-runtime.ts';
import { machineTracesRule } from './rules/machine-traces.ts';
import { namesRule } from './rules/names.ts';
import { openNotesRule } from './rules/open-notes.ts';
import { packageEdgesRule } from './rules/package-edges.ts';
import { runtimeCyclesRule } from './rules/runtime-cycles.ts';
import { sdkFoldersRule } from './rules/sdk-folders.ts';
import { typeEscapesRule } from './rules/type-escapes.ts';
import { youngClosuresRule } from './rules/young-closures.ts';

/** Every rule of the house. A new one is a new file under `rules/` and a line here. */
export const rules: readonly Rule[] = [
  packageEdgesRule,
  importsRule,
  runtimeCyclesRule,
  sdkFoldersRule,
  ambientEffectsRule,
  languageNeutralRuntimeRule,
  invariantsRule,
  honestTestsRule,
  errorCataloguesRule,
  typeEscapesRule,
  namesRule,
  fileLengthRule,
  functionLengthRule,
  youngClosuresRule,
  openNotesRule,
  machineTracesRule,
  completeLockfileRule,
];
