import { assertNever } from '@switchyard/kernel';
import { audienceOf, type TokenClaims, tokenScopes } from './token-claims.ts';

/** The payload of a JWT with these claims. */
export function toPayload(claims: TokenClaims): Record<string, unknown> {
  return {
    iss: claims.issuer,
    aud: audienceOf[claims.kind],
    iat: toSeconds(claims.issuedAtMs),
    exp: toSeconds(claims.expiresAtMs),
    ...(claims.notBeforeMs === undefined ? {} : { nbf: toSeconds(claims.notBeforeMs) }),
    jti: claims.tokenId,
    ...grantPayload(claims),
  };
}

function grantPayload(claims: TokenClaims): Record<string, unknown> {
  switch (claims.kind) {
    case 'worker':
      return {
        sub: claims.workerId,
        scope: tokenScopes.worker,
        tenant_id: claims.tenantId,
        app_id: claims.application.applicationId,
        metadata_version: claims.application.metadataVersion,
        code_version: claims.application.codeVersion,
        language: claims.language,
        language_version: claims.languageVersion,
        instance_id: claims.instanceId,
        is_placeholder: false,
      };
    case 'placeholder':
      return {
        sub: claims.workerId,
        scope: tokenScopes.placeholder,
        language: claims.language,
        language_version: claims.languageVersion,
        instance_id: claims.instanceId,
        is_placeholder: true,
      };
    case 'assign':
      return { sub: claims.podId, scope: tokenScopes.assign };
    case 'control':
      return { sub: claims.subject, scope: claims.scopes.join(' '), tenants: claims.tenants };
    default:
      return assertNever(claims);
  }
}

function toSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1_000);
}
