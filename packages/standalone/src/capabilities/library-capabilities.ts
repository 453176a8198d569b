import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { CapabilityKind, CapabilityManifestInput, CapabilityModule } from '@switchyard/capability-broker';
import type { Clock } from '@switchyard/kernel';
import type { HostProgram } from './open-capability-host.ts';

/** A capability that comes with the program. */
export interface OfferedCapability {
  readonly manifest: CapabilityManifestInput;
  /** Its module, when it is of kind `builtin`. */
  readonly module?: CapabilityModule;
}

/** What comes with the program, and the hosts of other languages that this machine can run. */
export interface LibraryCapabilities {
  readonly capabilities: readonly OfferedCapability[];
  readonly programs: ReadonlyMap<CapabilityKind, HostProgram>;
}

/**
 * The built-in capabilities, where their package is installed, and the hosts for which the PATH has an interpreter. The C# host is compiled by whoever installs it;
 * `SWITCHYARD_CSHARP_HOST` names it.
 */
export async function libraryCapabilities(
  clock: Clock,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LibraryCapabilities> {
  // Never bundled: it brings threads and processes of its own, and a model runtime that is larger than all the rest.
  const library = await import('@switchyard/capability-library').catch(whenMissing);
  if (library === undefined) return { capabilities: [], programs: new Map() };
  const { createCoreModules, createLibraryManifests } = library;
  const modules: ReadonlyMap<string, CapabilityModule> = createCoreModules({ clock });
  const capabilities = createLibraryManifests().map((manifest): OfferedCapability => {
    const module = modules.get(manifest.name);
    return module === undefined ? { manifest } : { manifest, module };
  });
  return { capabilities, programs: foreignPrograms(environment) };
}

/** An installation without the package has the capabilities that people add, and no others. */
function whenMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
}

function foreignPrograms(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<CapabilityKind, HostProgram> {
  const programs = new Map<CapabilityKind, HostProgram>();
  const python = findExecutable('python3', environment);
  if (python !== undefined) {
    const parameters = ['-E', '-s', '-B', join(libraryFolder(), 'hosts', 'python', 'switchyard_capability_host')];
    programs.set('python', { executable: python, parameters });
  }
  const csharpHost = environment.SWITCHYARD_CSHARP_HOST ?? '';
  const mono = csharpHost === '' ? undefined : findExecutable('mono', environment);
  if (mono !== undefined) programs.set('csharp', { executable: mono, parameters: [csharpHost] });
  return programs;
}

/** The folder of the library's package, built or not. */
function libraryFolder(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('@switchyard/capability-library')));
}

function findExecutable(name: string, { PATH = '' }: Readonly<Record<string, string | undefined>>): string | undefined {
  const candidates = PATH.split(delimiter).filter((folder) => folder !== '');
  return candidates.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
