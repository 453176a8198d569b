import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { loadApplication } from './load-application.ts';
import { parseReference, resolveSecrets } from './secret-references.ts';

describe('parseReference', () => {
  it.each([
    ['SecretUri=https://shop.vault.azure.net/secrets/db', { vault: 'shop', secret: 'db', version: undefined }],
    ['SecretUri=https://shop.vault.azure.net/secrets/db/', { vault: 'shop', secret: 'db', version: undefined }],
    ['secreturi=https://shop.vault.azure.net/secrets/db/1a2b', { vault: 'shop', secret: 'db', version: '1a2b' }],
    ['VaultName=shop;SecretName=db', { vault: 'shop', secret: 'db', version: undefined }],
    ['VaultName=shop; SecretName=db; SecretVersion=1', { vault: 'shop', secret: 'db', version: '1' }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each(['', 'nothing', 'SecretUri=no address', 'SecretUri=https://shop.vault.azure.net/keys/db', 'VaultName=shop'])(
    'knows that %j names no secret',
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );
});

describe('resolveSecrets', () => {
  const reference = '@Microsoft.KeyVault(VaultName=shop;SecretName=db)';

  it('puts secrets in the place of references, and leaves everything else', async () => {
    const values = new Map([
      ['Db', reference],
      ['Plain', 'text @Microsoft.KeyVault'],
    ]);
    const { values: resolved, notes } = await resolveSecrets(values, { read: async () => 'the secret' });
    expect([Object.fromEntries(resolved), notes]).toEqual([
      { Db: 'the secret', Plain: 'text @Microsoft.KeyVault' },
      [],
    ]);
  });

  it.each<[what: string, read: () => Promise<string | undefined>, problem: string]>([
    ['is not there', async () => undefined, "no secret 'db' in the vault 'shop'"],
    ['cannot be read', () => Promise.reject(new Error('down')), 'down'],
  ])('leaves a setting as it is whose secret %s, and says so', async (_what, read, problem) => {
    const { values, notes } = await resolveSecrets(new Map([['Db', reference]]), { read });
    expect(values.get('Db')).toBe(reference);
    expect(notes).toEqual([expect.stringContaining(problem)]);
    expect(notes[0]).toContain("'Db'");
  });
});

describe('local.secrets.json', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await openTestFolder();
  });
  afterEach(() => folder.remove());

  const load = async (secrets: unknown) => {
    const values = { FUNCTIONS_WORKER_RUNTIME: 'node', Db: '@Microsoft.KeyVault(VaultName=Shop;SecretName=DB)' };
    const directory = await folder.write('app', {
      'host.json': { version: '2.0' },
      'local.settings.json': { Values: values },
      ...(secrets === undefined ? {} : { 'local.secrets.json': secrets }),
    });
    return loadApplication(directory, {});
  };

  it('is the vault of the app', async () => {
    const { settings, notes } = await load({ shop: { db: 'the secret' } });
    expect([settings.get('Db'), notes]).toEqual(['the secret', []]);
  });

  it.each([[undefined], [{}], [{ shop: 5 }], [{ shop: { db: 5 } }], ['no JSON']])(
    'without the secret (%j) the app loads, with a note',
    async (secrets) => {
      const { settings, notes } = await load(secrets);
      expect(settings.get('Db')).toContain('@Microsoft.KeyVault');
      expect(notes).toEqual([expect.stringContaining("The setting 'Db' names a secret that cannot be had")]);
    },
  );
});
