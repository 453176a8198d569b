import { createHash } from 'node:crypto';
import type { CapabilityLimits } from '@switchyard/capabilities';
import semver from 'semver';
import { capabilityErrors } from '../errors.ts';

/** Where a capability runs. */
export type CapabilityKind = 'builtin' | 'in-process' | 'thread' | 'process' | 'python' | 'csharp' | 'wasm';

/** An edge to another capability, with a range of its own. */
export interface CapabilityRequirement {
  readonly name: string;
  readonly range: string;
}

/** One version of one capability, fully resolved. */
export interface CapabilityManifest {
  readonly name: string;
  readonly version: string;
  readonly tier: 1 | 2 | 3;
  readonly kind: CapabilityKind;
  /** The file that holds it; built-in ones have none. */
  readonly entry: string | null;
  /** The relay of hosts on another machine that runs it; null when this machine does. Then `entry` is a path over there. */
  readonly endpoint: string | null;
  /** The sha256 of that file in hex, when it is checked. */
  readonly digest: string | null;
  readonly requires: readonly CapabilityRequirement[];
  readonly limits: CapabilityLimits;
  /** What loading is expected to take, until it was measured. */
  readonly estimatedLoadMs: number;
  /** What it is expected to hold, until it was measured. */
  readonly memoryFootprintBytes: number;
  /** How many processes of a tier 3 capability there may be. */
  readonly shards: number;
  /** Methods that are safe to send twice. */
  readonly idempotentMethods: readonly string[];
  /** True when only accounts that are allowed to may have it. */
  readonly privileged: boolean;
  /** Handed to the capability as it is. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What `parseManifest` takes: names and defaults as in the result. */
export type CapabilityManifestInput = Pick<CapabilityManifest, 'name' | 'version' | 'tier' | 'kind'> & {
  readonly limits?: Partial<CapabilityLimits>;
} & Partial<Omit<CapabilityManifest, 'name' | 'version' | 'tier' | 'kind' | 'limits'>>;

export const defaultLimits: CapabilityLimits = {
  maxConcurrentCalls: 64,
  maxPayloadBytes: 4 * 1024 * 1024,
  maxExecutionMs: 30_000,
};

const kindsByTier: Readonly<Record<1 | 2 | 3, readonly CapabilityKind[]>> = {
  1: ['builtin'],
  2: ['in-process', 'thread', 'wasm'],
  3: ['process', 'python', 'csharp'],
};

const maxRequirements = 64;
const maxShards = 1_000;
const namePattern = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/;
const maxNameLength = 100;
const defaultLoadMs: Readonly<Record<1 | 2 | 3, number>> = { 1: 1, 2: 40, 3: 200 };
const defaultFootprintBytes: Readonly<Record<1 | 2 | 3, number>> = { 1: 0, 2: 8 * 1024 * 1024, 3: 40 * 1024 * 1024 };

/** True for what may name a capability: lower case words, joined by dots or dashes. */
export function isCapabilityName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= maxNameLength && namePattern.test(name);
}

/** Checks a manifest and fills in what it leaves out. Fails with CAPABILITY_MANIFEST_INVALID. */
export function parseManifest(input: CapabilityManifestInput): CapabilityManifest {
  const refuse = (reason: string): never => {
    throw capabilityErrors.create('CAPABILITY_MANIFEST_INVALID', { name: String(input.name), reason });
  };
  if (!isCapabilityName(input.name))
    refuse(
      `'${input.name}' is no name: use lower case words joined by '.' or '-', at most ${maxNameLength} characters`,
    );
  if (semver.valid(input.version) !== input.version) refuse(`'${input.version}' is no version: use one like 1.2.0`);
  const kinds = kindsByTier[input.tier] ?? refuse(`tier '${input.tier}' is none of 1, 2, 3`);
  if (!kinds.includes(input.kind))
    refuse(`kind '${input.kind}' does not exist in tier ${input.tier}, which has ${kinds.join(', ')}`);
  const entry = input.entry ?? null;
  if (input.kind !== 'builtin' && entry === null) refuse('it names no entry file');
  const endpoint = input.endpoint ?? null;
  if (endpoint !== null && input.tier !== 3) refuse(`only tier 3 runs elsewhere, and it is of tier ${input.tier}`);
  if (endpoint !== null && !/^wss?:\/\/\S+$/.test(endpoint))
    refuse(`endpoint '${endpoint}' is no ws:// or wss:// address`);
  const requires = input.requires ?? [];
  if (requires.length > maxRequirements) refuse(`it requires more than ${maxRequirements} others`);
  for (const { name, range } of requires) {
    if (!isCapabilityName(name)) refuse(`it requires '${name}', which is no name`);
    if (semver.validRange(range) === null) refuse(`it requires '${name}' in '${range}', which is no range`);
  }
  const digest = input.digest ?? null;
  if (digest !== null && !/^[0-9a-f]{64}$/.test(digest)) refuse(`digest '${digest}' is no sha256 in hex`);
  const shards = input.shards ?? (input.tier === 3 ? 10 : 1);
  if (!Number.isInteger(shards) || shards < 1 || shards > maxShards) refuse(`shards must be 1 to ${maxShards}`);
  return {
    ...{
      name: input.name,
      version: input.version,
      tier: input.tier,
      kind: input.kind,
      entry,
      endpoint,
      digest,
      requires,
      shards,
    },
    limits: limitsOf(input, refuse),
    estimatedLoadMs: input.estimatedLoadMs ?? defaultLoadMs[input.tier],
    memoryFootprintBytes: input.memoryFootprintBytes ?? defaultFootprintBytes[input.tier],
    idempotentMethods: input.idempotentMethods ?? [],
    privileged: input.privileged ?? false,
    config: input.config ?? {},
  };
}

function limitsOf(input: CapabilityManifestInput, refuse: (reason: string) => never): CapabilityLimits {
  const limits = { ...defaultLimits, ...input.limits };
  for (const [name, value] of Object.entries(limits))
    if (!Number.isFinite(value) || value <= 0) refuse(`limit ${name} must be more than 0, not ${value}`);
  return limits;
}

/** Fails with DIGEST_MISMATCH when the bytes are not what the manifest names. */
export function checkDigest({ name, digest }: CapabilityManifest, content: Uint8Array): void {
  if (digest === null) return;
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== digest) throw capabilityErrors.create('DIGEST_MISMATCH', { name, actual, expected: digest });
}

/** Names one version of one capability. */
export function keyOf({ name, version }: Pick<CapabilityManifest, 'name' | 'version'>): string {
  return `${name}@${version}`;
}
