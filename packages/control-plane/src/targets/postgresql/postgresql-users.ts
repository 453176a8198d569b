/**
 * Users of a PostgreSQL server as credentials: two login roles take turns, each a member of the role that owns the rights.
 *
 * The connection of an administrator who may create roles is known to the installation by a name; no record holds it.
 */
import { messageOf, Secret } from '@switchyard/kernel';
import type { SecretBinding } from '@switchyard/protocol/control-api';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { RotationTarget, VerifyOutcome } from '../../workers/secrets/rotation-target.ts';

export interface PostgresqlUsersOptions {
  /** By the name that bindings use. */
  readonly connections: ReadonlyMap<string, PostgresqlConnection>;
}

export interface PostgresqlConnection {
  readonly administrator: Secret;
  /** What services connect to, without user and password: `postgresql://host:5432/shop`. */
  readonly address: string;
  /** The role whose rights the credentials get; none when left out. */
  readonly memberOf?: string;
}

/** How long one statement may take. */
const statementTimeoutMs = 10_000;

export function createPostgresqlUsers({ connections }: PostgresqlUsersOptions): RotationTarget {
  const connectionOf = ({ target }: SecretBinding): PostgresqlConnection => {
    const found = connections.get(target.connection);
    if (found === undefined) throw new Error(`this installation knows no PostgreSQL connection '${target.connection}'`);
    return found;
  };
  return {
    async compose(binding, credential, password) {
      const { address } = connectionOf(binding);
      const url = new URL(address);
      // In the query they also serve addresses without a host: those of a Unix socket.
      url.searchParams.set('user', credential);
      url.searchParams.set('password', password.reveal());
      return new Secret(url.href);
    },
    async install(binding, credential, value) {
      const { administrator, memberOf } = connectionOf(binding);
      const password = new URL(value.reveal()).searchParams.get('password') ?? '';
      const role = escapeIdentifier(credential);
      await query(administrator, async (client) => {
        const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [credential]);
        const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
        // The server takes no parameters here; what is escaped is what it was.
        await client.query(`${verb} ROLE ${role} WITH LOGIN PASSWORD ${escapeLiteral(password)}`);
        if (memberOf !== undefined) await client.query(`GRANT ${escapeIdentifier(memberOf)} TO ${role}`);
      });
    },
    async verify(_binding, value): Promise<VerifyOutcome> {
      try {
        await query(value, (client) => client.query('SELECT 1'));
        return { kind: 'works' };
      } catch (thrown) {
        return { kind: 'refused', reason: messageOf(thrown) };
      }
    },
    async disable(binding, credential) {
      await query(connectionOf(binding).administrator, async (client) => {
        const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [credential]);
        if (rowCount === 0) return;
        await client.query(`ALTER ROLE ${escapeIdentifier(credential)} WITH NOLOGIN PASSWORD NULL`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [credential]);
      });
    },
  };
}

async function query(connectionString: Secret, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({
    connectionString: connectionString.reveal(),
    connectionTimeoutMillis: statementTimeoutMs,
    statement_timeout: statementTimeoutMs,
  });
  // A connection that breaks is told by the query that needs it.
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
