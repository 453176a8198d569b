/** Azure Key Vault, for tests: secrets with their versions. */
import { type AzureReply, type AzureRequest, problem, ScriptedAzure } from './scripted-azure.ts';

interface StoredVersion {
  readonly id: string;
  readonly value: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: number;
  enabled: boolean;
}

export class ScriptedKeyVault extends ScriptedAzure {
  override readonly token = 'a-token-of-the-vault';
  readonly secrets = new Map<string, StoredVersion[]>();
  #versions = 0;

  /** Adds a version, the way somebody else would. */
  put(name: string, value: string, tags: Readonly<Record<string, string>> = {}): StoredVersion {
    this.#versions += 1;
    const id = String(this.#versions).padStart(32, '0');
    const made: StoredVersion = { id, value, tags, createdAt: 1_700_000_000 + this.#versions, enabled: true };
    this.secrets.set(name, [...(this.secrets.get(name) ?? []), made]);
    return made;
  }

  /** It says where tokens come from. */
  protected override get denial(): AzureReply {
    const authority = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000';
    const challenge = `Bearer authorization="${authority}", resource="https://vault.azure.net"`;
    return { status: 401, body: problem('Unauthorized'), headers: { 'www-authenticate': challenge } };
  }

  protected override answer({ method, path, text }: AzureRequest): AzureReply {
    const [, name = '', version = ''] = /^\/secrets\/([0-9a-zA-Z-]{1,127})(?:\/(\w*))?$/.exec(path) ?? [];
    if (name === '') return { status: 400, body: problem('BadParameter') };
    if (method === 'PUT') {
      const { value, tags } = JSON.parse(text) as { value: string; tags?: Record<string, string> };
      return { status: 200, body: this.#show(name, this.put(name, value, tags)) };
    }
    const all = this.secrets.get(name) ?? [];
    if (version === 'versions') return { status: 200, body: { value: all.map((one) => this.#properties(name, one)) } };
    const found = version === '' ? all.at(-1) : all.find(({ id }) => id === version);
    if (found === undefined) return { status: 404, body: problem('SecretNotFound') };
    if (method === 'PATCH') {
      found.enabled = (JSON.parse(text) as { attributes: { enabled: boolean } }).attributes.enabled;
      return { status: 200, body: this.#properties(name, found) };
    }
    return found.enabled
      ? { status: 200, body: this.#show(name, found) }
      : { status: 403, body: problem('SecretDisabled') };
  }

  #properties(name: string, { id, tags, createdAt, enabled }: StoredVersion): object {
    return {
      id: `${this.url}/secrets/${name}/${id}`,
      tags,
      attributes: { enabled, created: createdAt, updated: createdAt },
    };
  }

  #show(name: string, version: StoredVersion): object {
    return { ...this.#properties(name, version), value: version.value };
  }
}
