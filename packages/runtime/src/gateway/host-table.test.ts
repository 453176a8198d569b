import { describe, expect, test } from 'vitest';
import { HostTable } from './host-table.ts';

function createTable(...ids: string[]): HostTable<string> {
  const table = new HostTable<string>();
  for (const id of ids) table.set(id, [`${id}.example.com`], id.toUpperCase());
  return table;
}

describe('HostTable', () => {
  test.each([
    ['a.localhost', 'A'],
    ['a.localhost:7071', 'A'],
    ['B.LocalHost', 'B'],
    ['b.example.com:80', 'B'],
    ['b.example.com.', 'B'],
  ])('I1: %s belongs to %s', (authority, app) => {
    expect(createTable('a', 'b').find(authority)).toEqual({ kind: 'found', app, authority });
  });

  test('I1: other names belong to nobody', () => {
    expect(createTable('a', 'b').find('c.localhost')).toEqual({ kind: 'unknown' });
    expect(createTable('a', 'b').find('localhost:7071')).toEqual({ kind: 'unknown' });
    expect(createTable('a', 'b').find(undefined)).toEqual({ kind: 'unknown' });
  });

  test('I2: while there is one app, every name is its own, and no name too', () => {
    const table = createTable('a');
    expect(table.find('127.0.0.1:7071')).toEqual({ kind: 'found', app: 'A', authority: '127.0.0.1:7071' });
    expect(table.find('[::1]:7071')).toMatchObject({ kind: 'found', app: 'A' });
    expect(table.find(undefined)).toEqual({ kind: 'found', app: 'A', authority: 'a.localhost' });
    table.set('b', [], 'B');
    expect(table.find('127.0.0.1:7071')).toEqual({ kind: 'unknown' });
    table.delete('a');
    expect(table.find('127.0.0.1:7071')).toMatchObject({ app: 'B' });
    table.delete('b');
    expect(table.find('127.0.0.1:7071')).toEqual({ kind: 'unknown' });
  });

  test('I2: where names have to be exact, the only app answers to its own alone', () => {
    const table = new HostTable<string>({ isExact: true });
    table.set('a', ['a.example.com'], 'A');
    for (const other of ['127.0.0.1:7071', 'b.localhost', undefined]) {
      expect(table.find(other)).toEqual({ kind: 'unknown' });
    }
    expect(table.find('a.example.com')).toMatchObject({ app: 'A' });
  });

  test.each(['a b', '<script>', 'a/b', 'a@b', 'a:b', 'a:123456', '[x]', 'a\\b', '%41'])(
    'I3: %j is no host',
    (authority) => {
      expect(createTable('a').find(authority)).toEqual({ kind: 'invalid' });
    },
  );

  test('I4: a change takes effect at once, and what is remembered stays bounded', () => {
    const table = createTable('a');
    expect(table.find('x.localhost')).toMatchObject({ app: 'A' });
    table.set('a', [], 'A2');
    expect(table.find('x.localhost')).toMatchObject({ app: 'A2' });
    expect(table.find('a.example.com')).toMatchObject({ app: 'A2' });
    for (let index = 0; index < 3_000; index += 1) table.find(`h${index}`);
    expect(table.find('h0')).toMatchObject({ app: 'A2' });
    expect(table.all).toEqual(['A2']);
  });

  test('a name that another app has is refused, and nothing is changed', () => {
    const table = createTable('a', 'b');
    expect(() => table.set('c', ['A.Example.Com'], 'C')).toThrow("app 'a' does");
    expect(table.all).toEqual(['A', 'B']);
    expect(table.find('c.localhost')).toEqual({ kind: 'unknown' });
  });
});
