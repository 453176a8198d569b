/** The records of the control plane: what is desired, what was seen, what was done. */

export * from './collections.ts';
export * from './configurations.ts';
export * from './domain-operations.ts';
export * from './environments.ts';
export * from './manifest.ts';
export * from './names.ts';
export * from './operations-records.ts';
export * from './roll-outs.ts';
export * from './secrets.ts';
export * from './services.ts';
export * from './settings-requests.ts';
export * from './target-operations.ts';
