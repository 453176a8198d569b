/** What the built-in capabilities can do, for callers in TypeScript. */

/** A value of a row, or a parameter: what SQL knows. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array;

export type SqlRow = Readonly<Record<string, SqlValue>>;

/** `data.sql`: a database of the account's own, or one that the operator connects. */
export interface DataSql {
  /** Rows of a query; values go in as parameters, never into the text. */
  query(sql: string, parameters?: readonly SqlValue[]): PromiseLike<SqlRow[]>;
  /** Runs one statement; returns how many rows it changed. */
  execute(sql: string, parameters?: readonly SqlValue[]): PromiseLike<number>;
  /** Runs statements in one transaction: all of them, or none. Returns how many rows each changed. */
  batch(
    statements: readonly { readonly sql: string; readonly parameters?: readonly SqlValue[] }[],
  ): PromiseLike<number[]>;
}

/** `crypto`: keys are made and kept in the host; callers name them and never see them. */
export interface Crypto {
  hash(algorithm: string, data: string | Uint8Array): PromiseLike<Uint8Array>;
  /** Makes a key of the account under a name; again is fine. */
  createKey(name: string, kind: 'hmac' | 'sign' | 'seal'): PromiseLike<void>;
  /** The public half of a signing key, as SPKI in PEM. */
  publicKey(name: string): PromiseLike<string>;
  hmac(key: string, data: string | Uint8Array): PromiseLike<Uint8Array>;
  sign(key: string, data: string | Uint8Array): PromiseLike<Uint8Array>;
  verify(key: string, data: string | Uint8Array, signature: Uint8Array): PromiseLike<boolean>;
  /** Encrypts; only `unseal` with the same key and context reads it. */
  seal(key: string, data: string | Uint8Array, context?: string): PromiseLike<Uint8Array>;
  unseal(key: string, sealed: Uint8Array, context?: string): PromiseLike<Uint8Array>;
}

export interface WebRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** At most this long; the capability's own limit holds when it is shorter. */
  readonly timeoutMs?: number;
}

export interface WebResponse {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** `web`: HTTP to public addresses, with limits, and tools for what comes back. */
export interface Web {
  fetch(url: string, request?: WebRequest): PromiseLike<WebResponse>;
  /** The text of a page, without its markup. */
  htmlToText(html: string): PromiseLike<string>;
  /** The links of a page, made absolute against `base`. */
  links(html: string, base: string): PromiseLike<string[]>;
  /** The value at a JSON pointer (RFC 6901); undefined when there is none. */
  jsonPointer(json: unknown, pointer: string): PromiseLike<unknown>;
}

/** `text`: text and serialization. */
export interface Text {
  /** Rows of CSV (RFC 4180). */
  parseCsv(text: string, separator?: string): PromiseLike<string[][]>;
  formatCsv(rows: readonly (readonly string[])[], separator?: string): PromiseLike<string>;
  encode(data: string | Uint8Array, encoding: 'base64' | 'base64url' | 'hex'): PromiseLike<string>;
  decode(text: string, encoding: 'base64' | 'base64url' | 'hex'): PromiseLike<Uint8Array>;
  /** JSON with sorted keys, so that equal values give equal text. */
  canonicalJson(value: unknown): PromiseLike<string>;
  /** Fills in `{{name}}` from values. */
  fill(template: string, values: Readonly<Record<string, string | number>>): PromiseLike<string>;
}

/** Types by name. Declare your own capabilities here by merging into this interface. */
export interface CapabilityTypes {
  'data.sql': DataSql;
  crypto: Crypto;
  web: Web;
  text: Text;
}
