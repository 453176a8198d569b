import type { RpcClaimsIdentity, RpcHttp } from '@switchyard/protocol';
import { bodyOf, headerOf, headersOf, paramsOf, queryOf } from '../http-values.ts';
import { spellHeaderName } from './header-names.ts';

const textClaim = 'http://www.w3.org/2001/XMLSchema#string';
const localAuthority = 'LOCAL AUTHORITY';

/**
 * An HTTP request as the value of its trigger, as JSON text: Url, Method, Query, Headers, Params, Identities and Body.
 * Header values are lists; a binary body is base64, any other one is text, and no body is no key.
 */
export function toHttpJson(http: RpcHttp): string {
  const headers = headersOf(http);
  const body = bodyOf(http);
  const data = {
    Url: http.url,
    Method: http.method,
    Query: Object.fromEntries(queryOf(http)),
    Headers: Object.fromEntries([...headers].map(([name, value]) => [spellHeaderName(name), [value]])),
    Params: Object.fromEntries(paramsOf(http)),
    Identities: http.identities.map(toIdentity),
  };
  const contentType = headerOf(headers, 'content-type') ?? '';
  return JSON.stringify(body === undefined ? data : { ...data, Body: toText(body, contentType) });
}

function toText(body: Uint8Array, contentType: string): string {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return buffer.toString(isBinary(contentType) ? 'base64' : 'utf8');
}

/** The official host takes these for bytes, and everything else for text. */
function isBinary(contentType: string): boolean {
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return mediaType === 'application/octet-stream' || mediaType.startsWith('multipart/');
}

/** A .NET ClaimsIdentity in JSON. */
function toIdentity(identity: RpcClaimsIdentity): unknown {
  const authenticationType = identity.authenticationType?.string?.value ?? null;
  const nameClaimType = identity.nameClaimType?.string?.value ?? null;
  return {
    AuthenticationType: authenticationType,
    IsAuthenticated: authenticationType !== null && authenticationType !== '',
    Actor: null,
    BootstrapContext: null,
    Claims: identity.claims.map(({ type, value }) => ({
      Issuer: localAuthority,
      OriginalIssuer: localAuthority,
      Properties: {},
      Type: type,
      Value: value,
      ValueType: textClaim,
    })),
    Label: null,
    Name: identity.claims.find(({ type }) => type === nameClaimType)?.value ?? null,
    NameClaimType: nameClaimType,
    RoleClaimType: identity.roleClaimType?.string?.value ?? null,
  };
}
