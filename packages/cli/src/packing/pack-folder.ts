import { join } from 'node:path';
import { parseJsonText } from '@switchyard/model';
import { checkBuilt } from './check-built.ts';
import { packingErrors } from './errors.ts';
import { type IgnoreRules, ignoreFileName, readIgnoreRules } from './ignore-rules.ts';
import { inOrder, listPackageFiles, type PackageFile } from './list-files.ts';
import { placePackages } from './placed-packages.ts';
import { readConfigurationText } from './read-configuration-text.ts';
import { type WrittenPackage, writePackage } from './write-package.ts';

/** An app's folder as a package. */
export interface PackedFolder extends WrittenPackage {
  readonly fileCount: number;
  /** All files together, before they were compressed. */
  readonly unpackedBytes: number;
}

/**
 * Packs an app's folder into a zip archive at `target`, which must not exist yet: what .funcignore leaves, in a fixed
 * order, with fixed times. The same folder gives the same bytes on every machine. Rejects with a PlatformError when the
 * folder is no app that can be deployed; `target` is the caller's to remove.
 */
export async function packFolder(directory: string, target: string, signal?: AbortSignal): Promise<PackedFolder> {
  const rules = await readIgnoreRules(directory);
  const placed = await placePackages(directory, rules, signal);
  const ownRules: IgnoreRules = {
    leavesOut: (path, kind) => placed.replaced.has(path) || rules.leavesOut(path, kind),
  };
  const files = inOrder([...(await listPackageFiles(directory, ownRules, signal)), ...placed.files]);
  await requireHostJson(directory, files);
  await checkBuilt(directory, files);
  const written = await writePackage(files, target, signal);
  const unpackedBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { ...written, fileCount: files.length, unpackedBytes };
}

/** host.json must be there, in the package, and JSON; what it says is for the platform to judge. */
async function requireHostJson(directory: string, files: readonly PackageFile[]): Promise<void> {
  const text = await readConfigurationText(directory, 'host.json');
  if (text === undefined) throw packingErrors.create('PACK_HOST_JSON_MISSING', { path: directory });
  if (!files.some(({ path }) => path === 'host.json'))
    throw packingErrors.create('PACK_HOST_JSON_IGNORED', { path: join(directory, ignoreFileName) });
  parseJsonText(text, join(directory, 'host.json'));
}
