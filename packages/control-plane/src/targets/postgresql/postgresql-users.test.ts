import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Secret } from '@switchyard/kernel';
import type { SecretBinding } from '@switchyard/protocol/control-api';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresqlUsers } from './postgresql-users.ts';

const binding: SecretBinding = {
  ...{ secretBindingId: 'db', tenantId: 'acme', environmentId: 'e', serviceIds: [], settingName: 'DB' },
  target: { kind: 'postgresql-user', connection: 'main', credentials: ['shop_a', 'shop_b'] },
  ...{ rotateEveryMs: 1, graceMs: 1 },
};

describe.skipIf(postgresqlPart.skip)('createPostgresqlUsers', () => {
  let server: TestPostgresql;
  const run = async (
    text: string,
  ): Promise<Client['query'] extends never ? never : readonly Record<string, unknown>[]> => {
    const client = new Client({ connectionString: server.address() });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const open = () =>
    createPostgresqlUsers({
      connections: new Map([
        [
          'main',
          {
            administrator: new Secret(server.address()),
            address: server.address().replace('owner@', ''),
            memberOf: 'shop_rights',
          },
        ],
      ]),
    });

  beforeAll(async () => {
    server = await openPostgresql();
    await run('CREATE ROLE shop_rights NOLOGIN');
    await run('CREATE TABLE orders (id int)');
    await run('GRANT SELECT ON orders TO shop_rights');
    const [{ hba_file: file } = {}] = await run('SHOW hba_file');
    // The test server trusts everybody; these two must show their passwords.
    const rules = readFileSync(String(file), 'utf8');
    writeFileSync(String(file), 'local all shop_a,shop_b scram-sha-256\n');
    appendFileSync(String(file), rules);
    await run('SELECT pg_reload_conf()');
  }, 60_000);
  afterAll(() => server?.close());

  it('makes a user whose password alone opens, with the rights of the role', async () => {
    const users = open();
    const value = await users.compose(binding, 'shop_a', new Secret("it's \\ a 'password' %41"));
    expect(await users.verify(binding, value)).toMatchObject({ kind: 'refused' });
    await users.install(binding, 'shop_a', value);
    await users.install(binding, 'shop_a', value);
    expect(await users.verify(binding, value)).toEqual({ kind: 'works' });
    const wrong = await users.compose(binding, 'shop_a', new Secret('guess'));
    expect(await users.verify(binding, wrong)).toMatchObject({ kind: 'refused' });
    const client = new Client({ connectionString: value.reveal() });
    await client.connect();
    expect((await client.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 0 }]);
    await client.end();
  });

  it('changes the password of one that is there, and takes one away with its connections', async () => {
    const users = open();
    const first = await users.compose(binding, 'shop_b', new Secret('one'));
    await users.install(binding, 'shop_b', first);
    const second = await users.compose(binding, 'shop_b', new Secret('two'));
    await users.install(binding, 'shop_b', second);
    expect(await users.verify(binding, first)).toMatchObject({ kind: 'refused' });
    expect(await users.verify(binding, second)).toEqual({ kind: 'works' });
    await users.disable(binding, 'shop_b');
    await users.disable(binding, 'shop_b');
    await users.disable(binding, 'nobody_b');
    expect(await users.verify(binding, second)).toMatchObject({ kind: 'refused' });
    await users.install(binding, 'shop_b', second);
    expect(await users.verify(binding, second)).toEqual({ kind: 'works' });
  });

  it('knows only the connections that it was given', async () => {
    const other = { ...binding, target: { ...binding.target, connection: 'elsewhere' } };
    await expect(open().compose(other, 'shop_a', new Secret('x'))).rejects.toThrow(
      "no PostgreSQL connection 'elsewhere'",
    );
  });

  it('lets no refusal name the password', async () => {
    const users = open();
    const value = await users.compose(binding, 'shop_a', new Secret('hunter2-hunter2'));
    const verdict = await users.verify(binding, value);
    expect(JSON.stringify(verdict)).not.toContain('hunter2');
  });
});
