import { PlatformError } from '@switchyard/kernel';
import semver from 'semver';
import { capabilityErrors } from '../errors.ts';
import type { CapabilityManifest } from './capability-manifest.ts';
import type { CapabilityEntry, CapabilityRegistry } from './capability-registry.ts';

/** What somebody wants. */
export interface ResolveRequest {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** The range for a requested name. */
  rangeOf(name: string): string;
  /** True: tier 2 before tier 3; false: tier 3 first. Built-in ones always win. */
  readonly preferLocal: boolean;
  /** The account's place in roll-outs of a capability, in [0, 100). */
  bucketOf(name: string): number;
  /** False for what the account may not have. */
  mayHave(manifest: CapabilityManifest): boolean;
}

export interface ResolvePlan {
  readonly kind: 'plan';
  /** Everything to load, dependencies before what needs them, one version per name. */
  readonly load: readonly CapabilityManifest[];
  /** The requested names among them. */
  readonly granted: readonly string[];
  /** Optional names that are not to be had, and why. */
  readonly missing: ReadonlyMap<string, PlatformError>;
}

/** All or nothing: a required name is not to be had, so none is. */
export interface ResolveRefusal {
  readonly kind: 'refused';
  readonly failures: ReadonlyMap<string, PlatformError>;
}

/** A range, and who asks for it. */
interface Constraint {
  readonly range: string;
  readonly by: string;
}

/** Versions chosen so far, in loading order. */
type Chosen = Map<string, CapabilityManifest>;

/** More rounds than this mean that no set of versions fits together. */
const maxRounds = 32;

/**
 * Chooses one version per name so that the request and every dependency edge hold, the newest that the account's place
 * in the roll-out allows. Pure.
 */
export function resolveCapabilities(
  registry: CapabilityRegistry,
  request: ResolveRequest,
): ResolvePlan | ResolveRefusal {
  const required = [...new Set(request.required)];
  const base = resolveNames(registry, request, required);
  if (base.failures.size > 0) return { kind: 'refused', failures: base.failures };
  const missing = new Map<string, PlatformError>();
  let names = required;
  let chosen = base.chosen;
  for (const name of new Set(request.optional)) {
    if (names.includes(name)) continue;
    const attempt = resolveNames(registry, request, [...names, name]);
    if (attempt.failures.size > 0) {
      missing.set(name, attempt.failures.get(name) ?? firstOf(attempt.failures));
      continue;
    }
    names = [...names, name];
    chosen = attempt.chosen;
  }
  return { kind: 'plan', load: [...chosen.values()], granted: names, missing };
}

function resolveNames(
  registry: CapabilityRegistry,
  request: ResolveRequest,
  names: readonly string[],
): { readonly chosen: Chosen; readonly failures: Map<string, PlatformError> } {
  // Which edges hold depends on the versions, and the versions on the edges: repeat until nothing changes.
  let constraints = requestedConstraints(request, names);
  for (let round = 0; round < maxRounds; round += 1) {
    const chosen: Chosen = new Map();
    const failures = new Map<string, PlatformError>();
    for (const name of names) {
      const failure = choose(name, { registry, request, constraints, chosen });
      if (failure !== undefined) failures.set(name, failure);
    }
    const next = requestedConstraints(request, names);
    for (const manifest of chosen.values())
      for (const { name, range } of manifest.requires) addConstraint(next, name, { range, by: manifest.name });
    if (failures.size > 0 || sameConstraints(constraints, next)) return { chosen, failures };
    constraints = mergeConstraints(constraints, next, round);
  }
  const details = { name: names.join(', '), ranges: 'all ranges of their dependencies', versions: 'see the list' };
  const failure = capabilityErrors.create('VERSION_MISMATCH', details);
  return { chosen: new Map(), failures: new Map(names.map((name) => [name, failure])) };
}

interface Choosing {
  readonly registry: CapabilityRegistry;
  readonly request: ResolveRequest;
  readonly constraints: ReadonlyMap<string, readonly Constraint[]>;
  readonly chosen: Chosen;
}

/** Adds a name and what it needs to `chosen`; returns why not. */
function choose(name: string, choosing: Choosing): PlatformError | undefined {
  if (choosing.chosen.has(name)) return undefined;
  const picked = pick(name, choosing);
  if (picked instanceof PlatformError) return picked;
  for (const dependency of picked.requires) {
    const failure = choose(dependency.name, choosing);
    if (failure === undefined) continue;
    const details = { name, dependency: dependency.name, reason: failure.message };
    return capabilityErrors.create('DEPENDENCY_MISSING', details, failure);
  }
  choosing.chosen.set(name, picked);
  return undefined;
}

/** The version and tier for one name. */
function pick(name: string, { registry, request, constraints }: Choosing): CapabilityManifest | PlatformError {
  const entries = registry.versionsOf(name);
  if (entries.length === 0) return capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
  const ranges = constraints.get(name) ?? [];
  const fitting = entries.filter((entry) =>
    ranges.every(({ range }) => semver.satisfies(entry.manifest.version, range)),
  );
  const bucket = request.bucketOf(name);
  const offered = fitting.find((entry) => bucket < entry.weight);
  if (offered === undefined) {
    const wanted = ranges.map(({ range, by }) => `'${range}' (${by})`).join(' and ');
    const versions = [
      ...new Set(
        entries.map((entry) => `${entry.manifest.version}${entry.weight < 100 ? ` at ${entry.weight} %` : ''}`),
      ),
    ];
    return capabilityErrors.create('VERSION_MISMATCH', { name, ranges: wanted, versions: versions.join(', ') });
  }
  const tiers = fitting.filter((entry) => entry.manifest.version === offered.manifest.version);
  const manifest = preferredTier(tiers, request.preferLocal).manifest;
  if (request.mayHave(manifest)) return manifest;
  return capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
}

/** Tier 1 where it exists; then 2 or 3 by preference. */
function preferredTier(entries: readonly CapabilityEntry[], preferLocal: boolean): CapabilityEntry {
  const order = preferLocal ? [1, 2, 3] : [1, 3, 2];
  const [first] = [...entries].sort(
    (left, right) => order.indexOf(left.manifest.tier) - order.indexOf(right.manifest.tier),
  );
  return first as CapabilityEntry;
}

function requestedConstraints(request: ResolveRequest, names: readonly string[]): Map<string, Constraint[]> {
  const constraints = new Map<string, Constraint[]>();
  for (const name of names) addConstraint(constraints, name, { range: request.rangeOf(name), by: 'the request' });
  return constraints;
}

function addConstraint(constraints: Map<string, Constraint[]>, name: string, constraint: Constraint): void {
  constraints.set(name, [...(constraints.get(name) ?? []), constraint]);
}

function sameConstraints(
  left: ReadonlyMap<string, readonly Constraint[]>,
  right: ReadonlyMap<string, readonly Constraint[]>,
): boolean {
  return fingerprint(left) === fingerprint(right);
}

function fingerprint(constraints: ReadonlyMap<string, readonly Constraint[]>): string {
  const lines = [...constraints].flatMap(([name, list]) => list.map(({ range, by }) => `${name} ${range} ${by}`));
  return [...new Set(lines)].sort().join('\n');
}

/** After a few rounds the ranges of dropped versions stay, so that the search cannot go round in a circle. */
function mergeConstraints(
  before: ReadonlyMap<string, readonly Constraint[]>,
  next: Map<string, Constraint[]>,
  round: number,
): Map<string, Constraint[]> {
  if (round < maxRounds / 4) return next;
  for (const [name, list] of before)
    for (const constraint of list)
      if (!next.get(name)?.some(({ range, by }) => range === constraint.range && by === constraint.by))
        addConstraint(next, name, constraint);
  return next;
}

function firstOf(failures: ReadonlyMap<string, PlatformError>): PlatformError {
  const [first] = failures.values();
  return first as PlatformError;
}
