import { describe, expect, it } from 'vitest';
import { readPostgresqlConnections } from './postgresql-connections.ts';

describe('readPostgresqlConnections', () => {
  it('finds servers by name, with the role whose rights their users get', () => {
    const connections = readPostgresqlConnections({
      SWITCHYARD_POSTGRESQL_SHOP: 'postgresql://admin:a%20secret@db:5432/shop?sslmode=require',
      SWITCHYARD_POSTGRESQL_SHOP_ROLE: 'shop_rights',
      SWITCHYARD_POSTGRESQL_OLD_ORDERS: 'postgres:///orders?host=/run/postgresql&user=admin&password=secret',
      SWITCHYARD_POSTGRESQL_EMPTY: '',
      PATH: '/bin',
    });
    expect([...connections.keys()]).toEqual(['shop', 'old-orders']);
    const shop = connections.get('shop');
    expect(shop).toMatchObject({ address: 'postgresql://db:5432/shop?sslmode=require', memberOf: 'shop_rights' });
    expect(shop?.administrator.reveal()).toContain('a%20secret');
    expect(connections.get('old-orders')?.address).toBe('postgres:///orders?host=%2Frun%2Fpostgresql');
    expect(JSON.stringify([...connections])).not.toContain('secret');
  });

  it.each(['not an address', 'mysql://admin:secret@db/shop'])('refuses %j, and does not repeat it', (value) => {
    const read = () => readPostgresqlConnections({ SWITCHYARD_POSTGRESQL_SHOP: value });
    expect(read).toThrow(/SWITCHYARD_POSTGRESQL_SHOP/);
    expect(read).not.toThrow(/secret|not an address/);
  });
});
