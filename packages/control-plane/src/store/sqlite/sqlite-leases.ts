import type { Clock } from '@switchyard/kernel';
import type { AcquireOutcome, Lease, Leases } from '../contract.ts';
import { integerOf, textOf } from './row.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** Leases of the embedded store. A row stays when its lease is given up, so that tokens only ever grow. */
export class SqliteLeases implements Leases {
  readonly #file: SqliteFile;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(file: SqliteFile, clock: Pick<Clock, 'now'>) {
    this.#file = file;
    this.#clock = clock;
  }

  acquire(name: string, holder: string, ttlMs: number): Promise<AcquireOutcome> {
    return this.#file.write((): AcquireOutcome => {
      const nowMs = this.#clock.now();
      const row = this.#file.get('SELECT holder, expires_at_ms FROM leases WHERE name = ?', name);
      if (row !== undefined) {
        const present = textOf(row, 'holder');
        const untilMs = integerOf(row, 'expires_at_ms');
        if (present !== '' && present !== holder && untilMs > nowMs)
          return { kind: 'taken', holder: present, expiresAtMs: untilMs };
      }
      const expiresAtMs = nowMs + ttlMs;
      const taken = this.#file.get(
        `INSERT INTO leases (name, holder, token, expires_at_ms) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (name) DO UPDATE SET holder = ?2, token = token + 1, expires_at_ms = ?3 RETURNING token`,
        ...[name, holder, expiresAtMs],
      );
      const token = taken === undefined ? 0 : integerOf(taken, 'token');
      return { kind: 'held', lease: { name, holder, token, expiresAtMs } };
    });
  }

  renew(lease: Lease, ttlMs: number): Promise<Lease | undefined> {
    return this.#file.write(() => {
      const expiresAtMs = this.#clock.now() + ttlMs;
      const changed = this.#file.run(
        'UPDATE leases SET expires_at_ms = ? WHERE name = ? AND token = ? AND holder = ?',
        ...[expiresAtMs, lease.name, lease.token, lease.holder],
      );
      return changed === 0 ? undefined : { ...lease, expiresAtMs };
    });
  }

  release(lease: Lease): Promise<boolean> {
    return this.#file.write(
      () =>
        this.#file.run(
          `UPDATE leases SET holder = '', expires_at_ms = 0 WHERE name = ? AND token = ? AND holder = ?`,
          ...[lease.name, lease.token, lease.holder],
        ) > 0,
    );
  }
}
