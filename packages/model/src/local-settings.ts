/** local.settings.json: what a developer's machine has instead of app settings (format of Core Tools). */
import { modelErrors } from './errors.ts';
import { describeValue, isJsonObject, type JsonObject, parseJsonText, readKey } from './json-text.ts';

export interface LocalSettings {
  /** The values, and each connection string under `ConnectionStrings:<name>`. */
  readonly settings: ReadonlyMap<string, string>;
  readonly host: LocalHostSettings;
}

/** The `Host` section. */
export interface LocalHostSettings {
  readonly localHttpPort?: number;
  /** Origins that may call from a browser; `*` is every one. */
  readonly corsOrigins: readonly string[];
  readonly corsCredentials: boolean;
}

/**
 * Parses the file's text; `where` names the file in errors.
 * @throws PlatformError JSON_INVALID, LOCAL_SETTINGS_ENCRYPTED, LOCAL_SETTINGS_INVALID
 */
export function parseLocalSettings(text: string, where: string): LocalSettings {
  const root = parseJsonText(text, where);
  if (!isJsonObject(root)) throw invalid(where, 'the file', 'it must hold a JSON object');
  if (readBoolean(root, 'IsEncrypted', where, 'IsEncrypted')) {
    throw modelErrors.create('LOCAL_SETTINGS_ENCRYPTED', { where });
  }
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(readObject(root, 'Values', where))) {
    const setting = toText(value, where, `Values.${name}`, 'write its members as settings of their own, Name__Member');
    if (setting !== undefined) settings.set(name, setting);
  }
  for (const [name, value] of Object.entries(readObject(root, 'ConnectionStrings', where))) {
    const given = isJsonObject(value) ? readKey(value, 'ConnectionString') : value;
    const setting = toText(given, where, `ConnectionStrings.${name}`, 'write the connection string as a text');
    if (setting !== undefined) settings.set(`ConnectionStrings:${name}`, setting);
  }
  return { settings, host: parseHost(readObject(root, 'Host', where), where) };
}

function parseHost(host: JsonObject, where: string): LocalHostSettings {
  const port = readKey(host, 'LocalHttpPort');
  const origins = toText(readKey(host, 'CORS'), where, 'Host.CORS', 'write the origins as one text with commas') ?? '';
  return {
    ...(port === undefined || port === null ? {} : { localHttpPort: toPort(port, where) }),
    corsOrigins: origins
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    corsCredentials: readBoolean(host, 'CORSCredentials', where, 'Host.CORSCredentials'),
  };
}

function toPort(value: unknown, where: string): number {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw invalid(where, 'Host.LocalHttpPort', `${describeValue(value)} is no port; write a number from 0 to 65535`);
}

/** A setting is a text; numbers and truth values become one, null is as if it were not there. Never quotes the value. */
function toText(value: unknown, where: string, key: string, fix: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const kind = Array.isArray(value) ? 'an array' : 'an object';
  throw invalid(where, key, `it is ${kind}, and a setting is a single text: ${fix}`);
}

function readObject(root: JsonObject, key: string, where: string): JsonObject {
  const value = readKey(root, key);
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  throw invalid(where, key, 'it must be a JSON object of names and values');
}

function readBoolean(root: JsonObject, key: string, where: string, path: string): boolean {
  const value = readKey(root, key);
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw invalid(where, path, `${describeValue(value)} is neither true nor false`);
}

function invalid(where: string, key: string, problem: string): Error {
  return modelErrors.create('LOCAL_SETTINGS_INVALID', { where, key, problem });
}
