import type { CapabilityKind } from '@switchyard/capability-broker';
import type { HostProgram } from './open-capability-host.ts';
import type { OfferedCapability } from './start-broker.ts';

/** What comes with the program, and the hosts of other languages that this machine can run. */
export interface LibraryCapabilities {
  readonly capabilities: readonly OfferedCapability[];
  readonly programs: ReadonlyMap<CapabilityKind, HostProgram>;
}

export function libraryCapabilities(): LibraryCapabilities {
  return { capabilities: [], programs: new Map() };
}
