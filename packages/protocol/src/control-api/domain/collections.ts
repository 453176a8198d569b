/** What can be listed, as paths and people call it. */
export const collections = [
  'environments',
  'tenants',
  'services',
  'specifications',
  'deployments',
  'configurations',
  'configuration-syncs',
  'settings-requests',
  'secret-bindings',
  'secret-rotations',
  'scaling-policies',
  'scaling-states',
  'health',
  'alerts',
  'findings',
] as const;

export type Collection = (typeof collections)[number];
