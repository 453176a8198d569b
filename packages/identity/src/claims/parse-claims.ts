/** Reads what a token says. Nothing of it is true before the signature was verified; times and issuer are judged elsewhere. */
import { isApplicationId } from '@switchyard/model';
import { audiences, type TokenClaims, type TokenGrant, type TokenStamp, tokenScopes } from './token-claims.ts';

export type ClaimsReading =
  | { readonly kind: 'parsed'; readonly claims: TokenClaims }
  /** A claim is missing or of the wrong shape. */
  | { readonly kind: 'invalid'; readonly claim: string; readonly expected: string };

/** A text in a token is at most this long. */
const maxTextLength = 512;
/** A control token names at most this many tenants. */
const maxTenants = 100;
/** NumericDate beyond this would leave the range of a Date. */
const maxSeconds = 8_640_000_000_000;

/** Reads a payload. */
export function parseClaims(payload: unknown): ClaimsReading {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    return { kind: 'invalid', claim: '', expected: 'an object of claims' };
  }
  try {
    const reader = new ClaimReader(payload);
    return { kind: 'parsed', claims: { ...readGrant(reader), ...readStamp(reader) } };
  } catch (thrown) {
    if (thrown instanceof Misfit) return { kind: 'invalid', claim: thrown.claim, expected: thrown.expected };
    throw thrown;
  }
}

class Misfit extends Error {
  readonly claim: string;
  readonly expected: string;

  constructor(claim: string, expected: string) {
    super(`${claim} must be ${expected}`);
    this.claim = claim;
    this.expected = expected;
  }
}

class ClaimReader {
  readonly #payload: object;

  constructor(payload: object) {
    this.#payload = payload;
  }

  value(claim: string): unknown {
    return Object.hasOwn(this.#payload, claim) ? Reflect.get(this.#payload, claim) : undefined;
  }

  text(claim: string): string {
    const value = this.value(claim);
    if (isText(value) && value !== '') return value;
    throw new Misfit(claim, `a text of 1 to ${maxTextLength} characters`);
  }

  /** A text that may be empty. */
  note(claim: string): string {
    const value = this.value(claim);
    if (isText(value)) return value;
    throw new Misfit(claim, `a text of at most ${maxTextLength} characters`);
  }

  timeMs(claim: string): number {
    const value = this.value(claim);
    if (typeof value === 'number' && value >= 0 && value <= maxSeconds) return Math.floor(value) * 1_000;
    throw new Misfit(claim, 'a number of seconds since 1970');
  }

  is(claim: string, expected: string): void {
    if (this.value(claim) !== expected) throw new Misfit(claim, `${JSON.stringify(expected)} in a token of this kind`);
  }

  isAbsent(claim: string): void {
    if (this.value(claim) !== undefined) throw new Misfit(claim, 'left out in a token of this kind');
  }
}

function readStamp(reader: ClaimReader): TokenStamp {
  return {
    issuer: reader.text('iss'),
    tokenId: reader.text('jti'),
    issuedAtMs: reader.timeMs('iat'),
    expiresAtMs: reader.timeMs('exp'),
    ...(reader.value('nbf') === undefined ? {} : { notBeforeMs: reader.timeMs('nbf') }),
  };
}

function readGrant(reader: ClaimReader): TokenGrant {
  switch (reader.value('aud')) {
    case audiences.runtime:
      return readWorker(reader);
    case audiences.sidecar:
      reader.is('scope', tokenScopes.assign);
      return { kind: 'assign', podId: reader.text('sub') };
    case audiences.control:
      return {
        kind: 'control',
        subject: reader.text('sub'),
        tenants: readTenants(reader),
        scopes: reader
          .note('scope')
          .split(' ')
          .filter((scope) => scope !== ''),
      };
    default:
      throw new Misfit('aud', `one of ${Object.values(audiences).join(', ')}`);
  }
}

function readWorker(reader: ClaimReader): TokenGrant {
  const isPlaceholder = reader.value('is_placeholder');
  if (typeof isPlaceholder !== 'boolean') throw new Misfit('is_placeholder', 'true or false');
  reader.is('scope', isPlaceholder ? tokenScopes.placeholder : tokenScopes.worker);
  const worker = {
    workerId: reader.text('sub'),
    language: reader.note('language'),
    languageVersion: reader.note('language_version'),
    instanceId: reader.note('instance_id'),
  };
  if (isPlaceholder) {
    for (const claim of ['app_id', 'tenant_id'] as const) reader.isAbsent(claim);
    return { kind: 'placeholder', ...worker };
  }
  return { kind: 'worker', ...worker, tenantId: reader.text('tenant_id'), application: readApplication(reader) };
}

function readApplication(reader: ClaimReader): Extract<TokenGrant, { kind: 'worker' }>['application'] {
  const applicationId = reader.text('app_id');
  if (!isApplicationId(applicationId)) throw new Misfit('app_id', 'a DNS label of at most 40 characters');
  return {
    applicationId,
    metadataVersion: reader.text('metadata_version'),
    codeVersion: reader.text('code_version'),
  };
}

function readTenants(reader: ClaimReader): '*' | readonly string[] {
  const value = reader.value('tenants');
  if (value === '*') return '*';
  if (Array.isArray(value) && value.length <= maxTenants && value.every((each) => isText(each) && each !== '')) {
    return value;
  }
  throw new Misfit('tenants', `"*" or a list of at most ${maxTenants} texts`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTextLength;
}
