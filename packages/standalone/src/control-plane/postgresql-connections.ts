import type { PostgresqlConnection } from '@switchyard/control-plane';
import { Secret } from '@switchyard/kernel';
import { targetErrors } from './errors.ts';

/** `SWITCHYARD_POSTGRESQL_SHOP` is the connection `shop` of secret bindings. */
const connectionName = /^SWITCHYARD_POSTGRESQL_([A-Z][A-Z0-9_]{0,39}?)(_ROLE)?$/;

/**
 * The PostgreSQL servers whose users may be rotated. A variable holds the connection string of an administrator; the one that
 * ends in `_ROLE` names the role whose rights the users get. They come from the environment alone: the strings hold passwords.
 * @throws PlatformError POSTGRESQL_CONNECTION_INVALID, without the value
 */
export function readPostgresqlConnections(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, PostgresqlConnection> {
  const connections = new Map<string, PostgresqlConnection>();
  for (const [variable, value] of Object.entries(environment)) {
    const [, name = '', role] = connectionName.exec(variable) ?? [];
    if (name === '' || role !== undefined || value === undefined || value === '') continue;
    const memberOf = environment[`${variable}_ROLE`];
    connections.set(name.toLowerCase().replaceAll('_', '-'), {
      administrator: new Secret(value),
      address: addressOf(variable, value),
      ...(memberOf === undefined || memberOf === '' ? {} : { memberOf }),
    });
  }
  return connections;
}

/** Where the server is, without who may ask. */
function addressOf(variable: string, value: string): string {
  if (!URL.canParse(value) || !/^postgres(ql)?:$/.test(new URL(value).protocol)) {
    throw targetErrors.create('POSTGRESQL_CONNECTION_INVALID', { variable });
  }
  const url = new URL(value);
  url.username = '';
  url.password = '';
  for (const name of ['user', 'password']) url.searchParams.delete(name);
  return url.href;
}
