import type { AcquireOutcome, Lease, Leases } from '../contract.ts';
import type { PgPool } from './pg-pool.ts';

/** Leases on PostgreSQL. A row stays when its lease is given up, so that tokens only ever grow. */
export class PgLeases implements Leases {
  readonly #pool: PgPool;
  /** SQL for milliseconds since the epoch. */
  readonly #now: () => string;

  constructor(pool: PgPool, now: () => string) {
    this.#pool = pool;
    this.#now = now;
  }

  async acquire(name: string, holder: string, ttlMs: number): Promise<AcquireOutcome> {
    const now = this.#now();
    const { rows } = await this.#pool.query(
      `INSERT INTO leases (name, holder, token, expires_at_ms) VALUES ($1, $2, 1, ${now} + $3::bigint)
       ON CONFLICT (name) DO UPDATE
         SET holder = excluded.holder, token = leases.token + 1, expires_at_ms = excluded.expires_at_ms
         WHERE leases.holder = '' OR leases.holder = excluded.holder OR leases.expires_at_ms <= ${now}
       RETURNING token, expires_at_ms`,
      [name, holder, ttlMs],
    );
    const [row] = rows;
    if (row !== undefined) {
      const lease = { name, holder, token: Number(row.token), expiresAtMs: Number(row.expires_at_ms) };
      return { kind: 'held', lease };
    }
    const present = (await this.#pool.query('SELECT holder, expires_at_ms FROM leases WHERE name = $1', [name]))
      .rows[0];
    return { kind: 'taken', holder: String(present?.holder), expiresAtMs: Number(present?.expires_at_ms) };
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease | undefined> {
    const { rows } = await this.#pool.query(
      `UPDATE leases SET expires_at_ms = ${this.#now()} + $1::bigint WHERE name = $2 AND token = $3 AND holder = $4
       RETURNING expires_at_ms`,
      [ttlMs, lease.name, lease.token, lease.holder],
    );
    const [row] = rows;
    return row === undefined ? undefined : { ...lease, expiresAtMs: Number(row.expires_at_ms) };
  }

  async release(lease: Lease): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE leases SET holder = '', expires_at_ms = 0 WHERE name = $1 AND token = $2 AND holder = $3`,
      [lease.name, lease.token, lease.holder],
    );
    return rowCount === 1;
  }
}
