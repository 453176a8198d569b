import { readBearerToken } from '@switchyard/protocol';

/** The token in the value of an `authorization` header; undefined when there is none. */
export function tokenOf(authorizationHeader: string | undefined): string | undefined {
  return authorizationHeader === undefined
    ? undefined
    : readBearerToken(new Map([['authorization', authorizationHeader]]));
}
