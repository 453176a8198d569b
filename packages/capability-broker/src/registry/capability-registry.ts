/**
 * Which capabilities there are, in which versions and tiers, and which share of the accounts each version serves.
 *
 * Ownership: the broker owns one; admin calls change it.
 *
 * I1 The registered capabilities never depend on themselves, whatever versions are chosen.
 * I2 A failed registration changes nothing.
 * I3 One entry per name, version and tier; a later registration of the same replaces it.
 */
import semver from 'semver';
import { capabilityErrors } from '../errors.ts';
import type { CapabilityManifest } from './capability-manifest.ts';

/** A version in the registry. */
export interface CapabilityEntry {
  readonly manifest: CapabilityManifest;
  /** The share of accounts that it is offered to, 0 to 100. */
  readonly weight: number;
}

export class CapabilityRegistry {
  readonly #entries = new Map<string, CapabilityEntry[]>();

  /** Adds a version. Fails with DEPENDENCY_CYCLE. A new version starts with `weight`. */
  register(manifest: CapabilityManifest, weight = 100): void {
    const cycle = this.#cycleThrough(manifest);
    if (cycle !== undefined)
      throw capabilityErrors.create('DEPENDENCY_CYCLE', { name: manifest.name, cycle: cycle.join(' -> ') });
    const rest = this.versionsOf(manifest.name).filter(
      (entry) => entry.manifest.version !== manifest.version || entry.manifest.tier !== manifest.tier,
    );
    const entries = [...rest, { manifest, weight }];
    entries.sort(
      (left, right) =>
        semver.rcompare(left.manifest.version, right.manifest.version) || left.manifest.tier - right.manifest.tier,
    );
    this.#entries.set(manifest.name, entries);
  }

  /** Removes a version, or all of them; returns what was removed. */
  unregister(name: string, version?: string): CapabilityEntry[] {
    const entries = this.versionsOf(name);
    const gone = entries.filter((entry) => version === undefined || entry.manifest.version === version);
    const rest = entries.filter((entry) => !gone.includes(entry));
    if (rest.length === 0) this.#entries.delete(name);
    else this.#entries.set(name, rest);
    return gone;
  }

  /** Sets the share of accounts of a version in all its tiers; returns false when there is no such version. */
  setWeight(name: string, version: string, weight: number): boolean {
    const entries = this.versionsOf(name);
    if (!entries.some((entry) => entry.manifest.version === version)) return false;
    this.#entries.set(
      name,
      entries.map((entry) => (entry.manifest.version === version ? { ...entry, weight } : entry)),
    );
    return true;
  }

  /** All versions of a name, newest first; within a version the lowest tier first. */
  versionsOf(name: string): readonly CapabilityEntry[] {
    return this.#entries.get(name) ?? [];
  }

  /** Everything, by name and newest first. */
  all(): CapabilityEntry[] {
    return [...this.#entries.keys()].sort().flatMap((name) => this.versionsOf(name));
  }

  /** A path from the new capability back to itself, over the edges of all versions. */
  #cycleThrough(manifest: CapabilityManifest): string[] | undefined {
    const edgesOf = (name: string): string[] => {
      const known = this.versionsOf(name).flatMap((entry) => entry.manifest.requires);
      return (name === manifest.name ? [...known, ...manifest.requires] : known).map((edge) => edge.name);
    };
    const seen = new Set<string>();
    const search = (name: string, path: readonly string[]): string[] | undefined => {
      for (const next of edgesOf(name)) {
        if (next === manifest.name) return [...path, next];
        if (seen.has(next)) continue;
        seen.add(next);
        const found = search(next, [...path, next]);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return search(manifest.name, [manifest.name]);
  }
}
