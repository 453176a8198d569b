/** The seven workers of the control plane, as flags, tokens and records name them. */
export const workerNames = [
  'deployment',
  'health',
  'scaling',
  'drift',
  'configuration',
  'secrets',
  'inventory',
] as const;

export type WorkerName = (typeof workerNames)[number];
