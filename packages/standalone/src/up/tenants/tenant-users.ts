/**
 * Which operating system user the workers of which tenant run as.
 *
 * Ownership: one per data folder. The file is the truth: files of a tenant belong to its user, so who is who stays over restarts.
 *
 * I1 Two tenants never have the same user, also when calls overlap, and a tenant keeps its user for good.
 * I2 A user is written down before anyone is told of it.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isJsonObject } from '@switchyard/model';
import type { ProcessUser } from '@switchyard/sidecar';
import { standaloneErrors } from '../../errors.ts';

export interface TenantUsersOptions {
  readonly file: string;
  /** The user and group id of the first tenant; each other one gets the next that is free. */
  readonly firstId: number;
}

/** Ids end here: the next one is `nobody` by convention. */
const lastId = 65_533;

export class TenantUsers {
  readonly #options: TenantUsersOptions;
  readonly #ids: Map<string, number>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: TenantUsersOptions, ids: Map<string, number>) {
    this.#options = options;
    this.#ids = ids;
  }

  /** Rejects with TENANT_USERS_UNREADABLE when the file is there and wrong. */
  static async open(options: TenantUsersOptions): Promise<TenantUsers> {
    const text = await readFile(options.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return new TenantUsers(options, parse(options.file, text));
  }

  /** Rejects with TENANT_USERS_USED_UP when no id is left. */
  async userOf(tenantId: string): Promise<ProcessUser> {
    const id = this.#ids.get(tenantId) ?? this.#next(tenantId);
    await this.#writing;
    return { uid: id, gid: id };
  }

  #next(tenantId: string): number {
    const { file, firstId } = this.#options;
    const taken = new Set(this.#ids.values());
    let id = firstId;
    while (taken.has(id)) id += 1;
    if (id > lastId) throw standaloneErrors.create('TENANT_USERS_USED_UP', { tenantId, firstId, lastId });
    this.#ids.set(tenantId, id);
    const text = `${JSON.stringify(Object.fromEntries(this.#ids), undefined, 2)}\n`;
    this.#writing = this.#writing.then(() => writeWhole(file, text));
    return id;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function parse(file: string, text: string): Map<string, number> {
  const wrong = (reason: string): Error => standaloneErrors.create('TENANT_USERS_UNREADABLE', { file, reason });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
  if (!isJsonObject(parsed)) throw wrong('it is not an object');
  const ids = new Map<string, number>();
  for (const [tenantId, id] of Object.entries(parsed)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > lastId) {
      throw wrong(`the user of tenant '${tenantId}' is not a whole number from 1 to ${lastId}`);
    }
    ids.set(tenantId, id);
  }
  if (new Set(ids.values()).size !== ids.size) throw wrong('two tenants have the same user');
  return ids;
}
