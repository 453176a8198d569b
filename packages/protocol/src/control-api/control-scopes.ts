/** What a token may do. `secrets` shows setting values and keys; `debug` opens an inspector in a worker. */
export const controlScopes = ['read', 'write', 'deploy', 'invoke', 'secrets', 'debug', 'target'] as const;

export type ControlScope = (typeof controlScopes)[number];
