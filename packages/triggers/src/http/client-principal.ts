/**
 * The caller's identity as an authenticating proxy in front of the app states it: the header `x-ms-client-principal` holds
 * base64 of `{auth_typ, name_typ, role_typ, claims: [{typ, val}]}` (App Service Authentication). Anybody can send that
 * header, so it counts only for apps that say that such a proxy is there (WEBSITE_AUTH_ENABLED).
 */
import { isJsonObject } from '@switchyard/model';
import type { NullableString, RpcClaim, RpcClaimsIdentity } from '@switchyard/protocol';

export const clientPrincipalHeader = 'x-ms-client-principal';

/** The identities in the header's value; none where it holds no principal. Never throws. */
export function readClientPrincipal(header: string | undefined): RpcClaimsIdentity[] {
  if (header === undefined) return [];
  const principal = parse(header);
  if (!isJsonObject(principal) || !Array.isArray(principal.claims)) return [];
  return [
    {
      authenticationType: nullable(principal.auth_typ),
      nameClaimType: nullable(principal.name_typ),
      roleClaimType: nullable(principal.role_typ),
      claims: principal.claims.flatMap(readClaim),
    },
  ];
}

function parse(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString());
  } catch {
    return undefined;
  }
}

/** What is no claim is left out. */
function readClaim(value: unknown): RpcClaim[] {
  if (!isJsonObject(value)) return [];
  const { typ: type, val } = value;
  return typeof type === 'string' && typeof val === 'string' ? [{ type, value: val }] : [];
}

function nullable(value: unknown): NullableString | undefined {
  return typeof value === 'string' ? { string: { $case: 'value', value } } : undefined;
}
