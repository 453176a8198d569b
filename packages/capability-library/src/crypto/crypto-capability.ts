import type { Crypto } from '@switchyard/capabilities';
import type { Clock, Random } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { asBytes, asInteger, asName, asOneOf, asText } from '../parameters.ts';
import { digest } from './digest.ts';
import { decrypt, encrypt, isMac, isSignature, keyKinds, macOf, publicKeyOf, signatureOf } from './key-material.ts';
import { type KeyDescription, KeyStore } from './key-store.ts';
import { readMasterKey } from './master-key.ts';
import { frameSealed, parseSealed } from './sealed-message.ts';

/** What `crypto` does beyond the list that every client knows. */
export interface CryptoTools extends Crypto {
  /** True when the MAC belongs to the data, under any version of the key. */
  verifyHmac(key: string, data: string | Uint8Array, mac: Uint8Array): PromiseLike<boolean>;
  /** Adds a version, which is used from then on; returns its number. Older ones still open and verify. */
  rotateKey(name: string): PromiseLike<number>;
  /** Forgets an old version for good. */
  retireKey(name: string, version: number): PromiseLike<void>;
  listKeys(): PromiseLike<KeyDescription[]>;
}

export interface CryptoDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * `crypto`: digests for everybody, and named keys of the account. There is no method that gives out key material, and
 * none can be added from outside: keys are used where they are.
 *
 * Configuration: `masterKeyFile` names a file with 32 bytes in hex; without it the host makes one beside its state.
 */
export function createCryptoCapability(deps: CryptoDeps): CapabilityModule {
  return {
    async create({ name, config, statePath }): Promise<CapabilityInstance> {
      const masterKey = await readMasterKey({ name, config, statePath }, deps.random);
      const keys = new KeyStore(deps, { path: statePath ?? ':memory:', masterKey });
      return { methods: methodsOf(keys, deps.random), dispose: () => keys.close() };
    },
  };
}

function methodsOf(keys: KeyStore, random: Random): CapabilityInstance['methods'] {
  const data = (value: unknown): Uint8Array => asBytes(value, 'The data');
  const keyName = (value: unknown): string => asName(value, 'The name of the key');
  return {
    hash: (_call: CallContext, algorithm: unknown, value: unknown) => digest(algorithm, data(value)),
    createKey: ({ account }: CallContext, name: unknown, kind: unknown) =>
      keys.create(account, keyName(name), asOneOf(kind, 'The kind', keyKinds)),
    rotateKey: ({ account }: CallContext, name: unknown) => keys.rotate(account, keyName(name)),
    retireKey: ({ account }: CallContext, name: unknown, version: unknown) =>
      keys.retire(account, keyName(name), asInteger(version, 'The version', 1, 2 ** 31)),
    listKeys: ({ account }: CallContext) => keys.list(account),
    publicKey: ({ account }: CallContext, name: unknown) =>
      publicKeyOf(keys.current(account, keyName(name), 'sign').material),
    hmac: ({ account }: CallContext, name: unknown, value: unknown) =>
      macOf(keys.current(account, keyName(name), 'hmac').material, data(value)),
    verifyHmac: ({ account }: CallContext, name: unknown, value: unknown, mac: unknown) => {
      const [bytes, claimed] = [data(value), asBytes(mac, 'The MAC')];
      return keys.versions(account, keyName(name), 'hmac').some(({ material }) => isMac(material, bytes, claimed));
    },
    sign: ({ account }: CallContext, name: unknown, value: unknown) =>
      signatureOf(keys.current(account, keyName(name), 'sign').material, data(value)),
    verify: ({ account }: CallContext, name: unknown, value: unknown, signature: unknown) => {
      const [bytes, claimed] = [data(value), asBytes(signature, 'The signature')];
      return keys
        .versions(account, keyName(name), 'sign')
        .some(({ material }) => isSignature(material, bytes, claimed));
    },
    seal: ({ account }: CallContext, name: unknown, value: unknown, context: unknown) => {
      const { version, material } = keys.current(account, keyName(name), 'seal');
      return frameSealed(version, encrypt(material, data(value), contextOf(context), random));
    },
    unseal: ({ account }: CallContext, name: unknown, sealed: unknown, context: unknown) =>
      unseal(keys, account, keyName(name), asBytes(sealed, 'The sealed message'), contextOf(context)),
  };
}

function unseal(keys: KeyStore, account: string, key: string, framed: Uint8Array, context: Uint8Array): Uint8Array {
  const fail = (reason: string): never => {
    throw libraryErrors.create('UNSEAL_FAILED', { key, reason });
  };
  const sealed = parseSealed(framed) ?? fail('it is no sealed message');
  const version = keys.versions(account, key, 'seal').find((one) => one.version === sealed.version);
  if (version === undefined) return fail(`its version ${sealed.version} does not exist, or was retired`);
  return decrypt(version.material, sealed.content, context) ?? fail('the context is another one, or it was changed');
}

function contextOf(value: unknown): Uint8Array {
  return Buffer.from(value === undefined || value === null ? '' : asText(value, 'The context'), 'utf8');
}
