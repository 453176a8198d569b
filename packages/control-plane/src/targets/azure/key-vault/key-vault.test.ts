import { Secret } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../../../../protocol/src/testing/self-signed.ts';
import { ScriptedKeyVault } from '../../testing/scripted-key-vault.ts';
import { describeVaultContract } from '../../testing/vault-contract.ts';
import { openKeyVault, openSecretReferences } from './open-key-vault.ts';

const tls = createSelfSigned('vault');
const entry = { tenantId: 'acme', name: 'shop/db', version: 1 };

async function open() {
  const server = new ScriptedKeyVault(tls);
  const url = await server.listen();
  const scopes: string[] = [];
  const credential = {
    getToken: async (scope: string | string[]) => {
      scopes.push(String(scope));
      return { token: server.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER };
    },
  };
  const access = { credential, ca: tls.certificate };
  const options = { isKnownDomain: false, retryDelayMs: 1 };
  return { server, scopes, access, options, url, vault: await openKeyVault(access, url, options) };
}

describeVaultContract('Azure Key Vault', async () => {
  const { server, vault } = await open();
  return { vault, close: () => server.close() };
});

describe('createKeyVault', () => {
  let bench: Awaited<ReturnType<typeof open>>;
  afterEach(() => bench.server.close());

  it('answers the challenge of the vault with a token for what it names', async () => {
    bench = await open();
    await bench.vault.keep(entry, new Secret('first'));
    expect(new Set(bench.scopes)).toEqual(new Set(['https://vault.azure.net/.default']));
  });

  it('I1: of two versions with one number the first one counts', async () => {
    bench = await open();
    await bench.vault.keep(entry, new Secret('first'));
    const [[name = '', [first] = []] = []] = [...bench.server.secrets];
    bench.server.put(name, 'second', first?.tags);
    expect((await bench.vault.read(entry))?.reveal()).toBe('first');
    expect((await bench.vault.keep(entry, new Secret('third'))).reveal()).toBe('first');
    expect(bench.server.secrets.get(name)).toHaveLength(2);
  });

  it('I2: reads nothing that carries tags of somebody else', async () => {
    bench = await open();
    await bench.vault.keep(entry, new Secret('first'));
    const [[name = '', [first] = []] = []] = [...bench.server.secrets];
    bench.server.secrets.set(name, []);
    bench.server.put(name, 'planted', { ...first?.tags, 'switchyard-tenant': 'evil' });
    expect(await bench.vault.read(entry)).toBeUndefined();
  });

  it('I3: what is disabled stays in the service, and is given to nobody', async () => {
    bench = await open();
    await bench.vault.keep(entry, new Secret('old'));
    await bench.vault.disable(entry);
    const [[, [first] = []] = []] = [...bench.server.secrets];
    expect(first).toMatchObject({ value: 'old', enabled: false });
    expect(await bench.vault.read(entry)).toBeUndefined();
  });

  it('is patient with a vault that throttles, and never puts a value into an address', async () => {
    bench = await open();
    await bench.vault.keep({ ...entry, version: 2 }, new Secret('warm-up'));
    bench.server.throttled = 2;
    await bench.vault.keep(entry, new Secret('crimson-9f2'));
    expect(bench.server.throttled).toBe(0);
    expect(JSON.stringify(bench.server.asked)).not.toContain('crimson-9f2');
  });
});

describe('openSecretReferences', () => {
  let bench: Awaited<ReturnType<typeof open>>;
  afterEach(() => bench.server.close());

  it('reads the newest secret, or the one that is named, and nothing that is not there', async () => {
    bench = await open();
    const old = bench.server.put('db', 'old');
    bench.server.put('db', 'new');
    const read = await openSecretReferences(bench.access, `${bench.url}?{vault}`, bench.options);
    expect(await read({ vault: 'shop', secret: 'db', version: undefined })).toBe('new');
    expect(await read({ vault: 'shop', secret: 'db', version: old.id })).toBe('old');
    expect(await read({ vault: 'shop', secret: 'other', version: undefined })).toBeUndefined();
  });

  it('makes no address of what is no name of a vault', async () => {
    bench = await open();
    const read = await openSecretReferences(bench.access, 'https://{vault}.vault.azure.net', bench.options);
    expect(await read({ vault: 'evil.example.net/', secret: 'db', version: undefined })).toBeUndefined();
    expect(bench.scopes).toEqual([]);
  });
});
