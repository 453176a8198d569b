/**
 * The metadataVersion of an app: what must be the same for two versions to share a JobHost (DESIGN section 6).
 *
 * I1 Equal functions, host.json and named values give equal versions, whatever the order of functions, keys and settings,
 *    and wherever the package was unpacked.
 * I2 A change of a function, of host.json, or of a value that a binding names gives another version.
 * I3 A setting that no binding names and no host reads changes nothing.
 */
import { createHash } from 'node:crypto';
import { createSettingsView, type SettingsView } from '@switchyard/model';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import type { FunctionListing } from './function-index.ts';

export interface MetadataVersionInput {
  readonly index: FunctionListing;
  /** The text of host.json; undefined when there is none. */
  readonly hostJson: string | undefined;
  /** The app's settings in clear. */
  readonly values: ReadonlyMap<string, string>;
  /** A keyed digest, so that the version tells nothing of a secret: the catalog's own. */
  readonly digest: (text: string) => string;
}

/** How many digits a metadataVersion has. */
const versionLength = 16;

/** Settings that the Runtime reads whatever the bindings say: its storage, and what changes host.json or a schedule. */
const alwaysNamed: readonly string[] = ['AzureWebJobsStorage'];
const hostSettings: readonly RegExp[] = [
  /^azurefunctionsjobhost(?:__|:)/i,
  /^azurewebjobs[._].+[._]disabled$/i,
  /^website_time_zone$/i,
  /^tz$/i,
];

/** 16 hexadecimal digits. */
export function computeMetadataVersion({ index, hostJson, values, digest }: MetadataVersionInput): string {
  const functions = index.functions.map(toComparable).sort(byText);
  const named = [...namedValues(index.functions, values)].sort(([left], [right]) => byText(left, right));
  const text = JSON.stringify([
    index.useDefaultIndexing,
    functions,
    hostJson === undefined ? null : toCanonicalText(hostJson),
    digest(JSON.stringify(named)),
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, versionLength);
}

/**
 * What a function is, as text. Its id is made anew by each index and its directory lies where the package was unpacked, so
 * neither counts.
 */
function toComparable(metadata: RpcFunctionMetadata): string {
  const { name, directory, scriptFile, entryPoint, language, isProxy, rawBindings, retryOptions } = metadata;
  const isInside = directory !== '' && scriptFile.startsWith(directory);
  return canonicalText({
    name,
    scriptFile: isInside ? scriptFile.slice(directory.length) : scriptFile,
    entryPoint,
    language,
    isProxy,
    bindings: [...metadata.bindings].map(([binding, info]) => [binding, toPlain(info)]).sort(byFirst),
    rawBindings: rawBindings.map(toCanonicalText),
    managedDependencies: metadata.managedDependencyEnabled,
    retry: toPlain(retryOptions),
    properties: [...metadata.properties].sort(byFirst),
  });
}

/** The values that the functions' bindings name, and those that every host reads; by their name in the settings. */
function namedValues(
  functions: readonly RpcFunctionMetadata[],
  values: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const view = createSettingsView(values);
  const found = new Map<string, string>();
  const names = new Set(alwaysNamed);
  for (const { rawBindings } of functions) {
    for (const binding of rawBindings) collectNames(toValue(binding), undefined, names);
  }
  for (const name of names) addNamed(view, name, found);
  for (const [name, value] of values) if (hostSettings.some((pattern) => pattern.test(name))) found.set(name, value);
  return found;
}

/** A connection may be the name of a setting, with or without a prefix, or of a whole section of them. */
function addNamed(view: SettingsView, name: string, found: Map<string, string>): void {
  for (const candidate of [`AzureWebJobs${name}`, name].flatMap((one) => [`ConnectionStrings:${one}`, one])) {
    const key = candidate.toLowerCase().replaceAll('__', ':');
    const value = view.get(candidate);
    if (value !== undefined) found.set(`=${key}`, value);
    for (const [member, text] of view.section(candidate)) found.set(`=${key}:${member}`, text);
  }
}

/** Names stand between percent signs anywhere, and alone where the key says that it is a connection. */
function collectNames(value: unknown, key: string | undefined, names: Set<string>): void {
  if (typeof value === 'string') {
    if (key !== undefined && /(?:connection|connectionstringsetting)$/i.test(key)) names.add(value.replaceAll('%', ''));
    for (const [, name = ''] of value.matchAll(/%([^%]+)%/g)) names.add(name);
  } else if (Array.isArray(value)) {
    for (const item of value) collectNames(item, key, names);
  } else if (typeof value === 'object' && value !== null) {
    for (const [member, item] of Object.entries(value)) collectNames(item, member, names);
  }
}

/** The text of JSON with its keys in order; a text that is no JSON stands for itself. */
function toCanonicalText(text: string): string {
  const value = toValue(text);
  return value === undefined ? text : canonicalText(value);
}

/** Undefined for a text that is no JSON. */
function toValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function canonicalText(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

/** Objects become lists of their members in order of name, so that no key can mean anything else than itself. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return ['list', ...value.map(inOrder)];
  if (typeof value !== 'object' || value === null) return value;
  return [
    'object',
    ...Object.entries(value)
      .map(([key, item]) => [key, inOrder(item)])
      .sort(byFirst),
  ];
}

/** A message of the protocol without what JSON cannot hold. */
function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value].map(toPlain).sort(byFirst);
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

function byFirst(left: unknown, right: unknown): number {
  return byText(String(Array.isArray(left) ? left[0] : left), String(Array.isArray(right) ? right[0] : right));
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
