import type { RpcClaimsIdentity } from '@switchyard/protocol';

/** The words of the official host (SecurityConstants, AuthLevelAuthenticationDefaults). */
const scheme = 'WebJobsAuthLevel';
const claimTypes = 'http://schemas.microsoft.com/2017/07/functions/claims';

/** Levels as .NET spells them. */
const levels: Readonly<Record<string, string>> = { admin: 'Admin', system: 'System', function: 'Function' };

/** The identity of a caller who showed a key: which level it opens and, where that is known, its name. Never the key. */
export function toKeyIdentity(key: { readonly level: string; readonly name: string | undefined }): RpcClaimsIdentity {
  const level = { type: `${claimTypes}/authlevel`, value: levels[key.level] ?? key.level };
  const name = key.name === undefined ? [] : [{ type: `${claimTypes}/keyid`, value: key.name }];
  return {
    authenticationType: { string: { $case: 'value', value: scheme } },
    nameClaimType: undefined,
    roleClaimType: undefined,
    claims: [level, ...name],
  };
}
