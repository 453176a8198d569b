/** Where packages come from: a path or file URL of this machine, or a store behind http(s). */
import { createReadStream } from 'node:fs';
import { isAbsolute } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { isPlatformError, messageOf, type PlatformError, type Secret } from '@switchyard/kernel';
import { packageErrors } from './errors.ts';

export interface PackageSource {
  /** An absolute path, or a URL with the scheme file, http or https. */
  readonly url: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Shown to the store as a bearer token. */
  readonly token?: Secret | undefined;
}

/** `fetch`, as far as it is needed. */
export type FetchPackage = (url: string, init: FetchInit) => Promise<PackageResponse>;

export interface FetchInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: 'error' | 'follow';
  readonly signal: AbortSignal;
}

export interface PackageResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly body: unknown;
}

export interface StoreOptions {
  readonly fetch: FetchPackage;
  readonly allowClearTokens: boolean;
  readonly signal: AbortSignal;
}

const hash = /^[0-9a-f]{64}$/;

/** The source as errors and logs may show it: signed addresses carry their secret in the query. */
export function describeSource(url: string): string {
  if (!URL.canParse(url)) return url.split('?')[0] ?? '';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** The hash in lower case. @throws PlatformError PACKAGE_SOURCE_INVALID */
export function checkHash(sha256: string): string {
  const value = sha256.toLowerCase();
  if (hash.test(value)) return value;
  throw packageErrors.create('PACKAGE_SOURCE_INVALID', { key: 'sha256', value, expected: '64 hexadecimal digits' });
}

/**
 * Opens the bytes of a package.
 * @throws PlatformError PACKAGE_SOURCE_INVALID, PACKAGE_TOKEN_IN_CLEAR, PACKAGE_UNREACHABLE, PACKAGE_REFUSED
 */
export async function openSource(source: PackageSource, options: StoreOptions): Promise<Readable> {
  const { url } = source;
  if (isAbsolute(url)) return createReadStream(url, { signal: options.signal });
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol === 'file:') return createReadStream(fileURLToPath(url), { signal: options.signal });
  if (protocol === 'http:' || protocol === 'https:') return await download(source, options);
  throw packageErrors.create('PACKAGE_SOURCE_INVALID', {
    key: 'url',
    value: describeSource(url),
    expected: 'an absolute path, or a URL with the scheme file, http or https',
  });
}

async function download({ url, token }: PackageSource, options: StoreOptions): Promise<Readable> {
  const source = describeSource(url);
  if (token !== undefined && !options.allowClearTokens && leavesInClear(new URL(url))) {
    throw packageErrors.create('PACKAGE_TOKEN_IN_CLEAR', { source });
  }
  let response: PackageResponse;
  try {
    response = await options.fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` },
      // A token is for the store that it was made for, and for nobody whom that one names.
      redirect: token === undefined ? 'follow' : 'error',
      signal: options.signal,
    });
  } catch (thrown) {
    throw unreachable(source, thrown);
  }
  if (!response.ok) throw packageErrors.create('PACKAGE_REFUSED', { source, status: response.status });
  if (response.body === null) return Readable.from([]);
  return Readable.fromWeb(response.body as ReadableStream<Uint8Array>, { signal: options.signal });
}

/** What kept the bytes away, as an error of the catalogue. */
export function unreachable(source: string, thrown: unknown): PlatformError {
  if (isPlatformError(thrown)) return thrown;
  const cause = thrown instanceof Error && thrown.cause !== undefined ? `: ${messageOf(thrown.cause)}` : '';
  return packageErrors.create('PACKAGE_UNREACHABLE', { source, reason: messageOf(thrown) + cause }, thrown);
}

function leavesInClear({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
