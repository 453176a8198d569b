/**
 * App settings that stand for a secret in a vault: `@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/db)`
 * or `@Microsoft.KeyVault(VaultName=shop;SecretName=db)`, with a version or without.
 *
 * Secrets come through a port. One that cannot be had leaves its setting as it is written, as in the official platform, and a
 * note says so: the functions that need it fail, and the others run.
 */
import { messageOf } from '@switchyard/kernel';

/** Which secret. */
export interface SecretReference {
  /** The first part of the vault's name: `shop` of `shop.vault.azure.net`. */
  readonly vault: string;
  readonly secret: string;
  /** Undefined for the newest one. */
  readonly version: string | undefined;
}

/** Where secrets come from. */
export interface SecretVault {
  /** Undefined when there is no such secret. */
  read(reference: SecretReference): Promise<string | undefined>;
}

export interface ResolvedSettings {
  readonly values: ReadonlyMap<string, string>;
  /** What could not be resolved, one line each; no value is quoted. */
  readonly notes: readonly string[];
}

const pattern = /^\s*@Microsoft\.KeyVault\(\s*(.*?)\s*\)\s*$/is;

/** True for a value that stands for a secret. */
export function isSecretReference(text: string): boolean {
  return pattern.test(text);
}

/** Replaces every reference by its secret. */
export async function resolveSecrets(
  values: ReadonlyMap<string, string>,
  vault: SecretVault,
): Promise<ResolvedSettings> {
  const resolved = new Map(values);
  const notes: string[] = [];
  const pending = [...values].flatMap(([name, text]) => {
    const inner = pattern.exec(text)?.[1];
    return inner === undefined ? [] : [{ name, inner }];
  });
  await Promise.all(
    pending.map(async ({ name, inner }) => {
      const outcome = await read(parseReference(inner), vault);
      if ('value' in outcome) resolved.set(name, outcome.value);
      else notes.push(`The setting '${name}' names a secret that cannot be had: ${outcome.problem}.`);
    }),
  );
  return { values: resolved, notes: notes.sort() };
}

async function read(
  reference: SecretReference | undefined,
  vault: SecretVault,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  if (reference === undefined) return { problem: 'it has neither a SecretUri nor a VaultName and a SecretName' };
  const { vault: vaultName, secret } = reference;
  try {
    const value = await vault.read(reference);
    return value === undefined ? { problem: `there is no secret '${secret}' in the vault '${vaultName}'` } : { value };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** What stands between the parentheses; undefined when it names no secret. */
export function parseReference(inner: string): SecretReference | undefined {
  const parts = new Map(
    inner.split(';').map((part) => {
      const equals = part.indexOf('=');
      return [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()] as const;
    }),
  );
  const uri = parts.get('secreturi');
  if (uri !== undefined) return parseUri(uri);
  const [vault, secret, version] = ['vaultname', 'secretname', 'secretversion'].map(
    (key) => parts.get(key) || undefined,
  );
  return vault === undefined || secret === undefined ? undefined : { vault, secret, version };
}

function parseUri(text: string): SecretReference | undefined {
  if (!URL.canParse(text)) return undefined;
  const { hostname, pathname } = new URL(text);
  const [, kind, secret, version] = pathname.split('/');
  const [vault] = hostname.split('.');
  if (kind?.toLowerCase() !== 'secrets' || !secret || !vault) return undefined;
  return { vault, secret, version: version || undefined };
}
