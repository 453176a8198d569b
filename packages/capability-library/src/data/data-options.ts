import { isAbsolute } from 'node:path';
import { Secret } from '@switchyard/kernel';
import type { CapabilitySettings } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { fieldOf } from '../parameters.ts';
import type { SqlLimits } from './sql-database.ts';

/** The configuration of `data.sql`, in full. */
export interface DataOptions {
  readonly engine: 'sqlite' | 'postgresql';
  readonly readOnly: boolean;
  readonly limits: SqlLimits;
  /** Connections per account (SQLite: readers) or per database (PostgreSQL). */
  readonly maxConnections: number;
  /** How many calls may wait for a connection. */
  readonly maxWaiting: number;
  readonly maxOpenAccounts: number;
  readonly maxDatabaseBytes: number;
  /** Where SQLite's files stand; null keeps them in memory. */
  readonly folder: string | null;
  /** PostgreSQL: for every account that has none of its own. */
  readonly connection: Secret | undefined;
  readonly connections: ReadonlyMap<string, Secret>;
}

const defaults = {
  maxRows: 10_000,
  maxResultBytes: 2 * 1024 * 1024,
  timeoutMs: 10_000,
  maxConnections: 4,
  maxWaiting: 100,
  maxOpenAccounts: 100,
  maxDatabaseBytes: 256 * 1024 * 1024,
};

/** Reads the configuration from the manifest. Fails with CAPABILITY_CONFIG_INVALID. */
export function parseDataOptions({
  name,
  config,
  statePath,
}: Omit<CapabilitySettings, 'version' | 'shard'>): DataOptions {
  const refuse = (reason: string): never => {
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason });
  };
  const number = (field: keyof typeof defaults): number => {
    const value = fieldOf(config, field) ?? defaults[field];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
    return refuse(`${field} must be a whole number above 0`);
  };
  const secret = (value: unknown, what: string): Secret => {
    if (typeof value !== 'string' || !/^postgres(?:ql)?:\/\//.test(value))
      return refuse(`${what} is no address that begins with postgresql://`);
    return new Secret(value);
  };
  const engine = fieldOf(config, 'engine') ?? 'sqlite';
  if (engine !== 'sqlite' && engine !== 'postgresql') return refuse("engine must be 'sqlite' or 'postgresql'");
  const folder = fieldOf(config, 'folder') ?? (statePath === null ? null : `${statePath}.accounts`);
  if (folder !== null && (typeof folder !== 'string' || !isAbsolute(folder)))
    return refuse('folder is no absolute path');
  const connection = fieldOf(config, 'connection');
  const connections = Object.entries((fieldOf(config, 'connections') ?? {}) as object);
  if (engine === 'postgresql' && connection === undefined && connections.length === 0)
    return refuse("engine 'postgresql' needs 'connection', or 'connections' by account");
  return {
    engine,
    folder,
    readOnly: fieldOf(config, 'readOnly') === true,
    limits: {
      maxRows: number('maxRows'),
      maxResultBytes: number('maxResultBytes'),
      timeoutMs: number('timeoutMs'),
    },
    maxConnections: number('maxConnections'),
    maxWaiting: number('maxWaiting'),
    maxOpenAccounts: number('maxOpenAccounts'),
    maxDatabaseBytes: number('maxDatabaseBytes'),
    connection: connection === undefined ? undefined : secret(connection, 'connection'),
    connections: new Map(
      connections.map(([account, value]) => [account, secret(value, `the connection of account '${account}'`)]),
    ),
  };
}
