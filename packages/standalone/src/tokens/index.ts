/** `switchyard token`. */
export { openTokens, type TokenRequest } from './issue-token.ts';
