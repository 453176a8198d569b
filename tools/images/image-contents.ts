/** What is in each image, and what is not: workers come without the Runtime, and the Runtime without workers. */
export interface ImageContents {
  readonly name: string;
  /** The folder in `packages/cli/dist` whose `main.mjs` is started. */
  readonly bundle: 'bundle' | 'pod-bundle';
  /** Language workers of ours. */
  readonly workers: readonly ('worker-node' | 'worker-custom')[];
  /** Packages that the bundle loads by name, with all that they need. */
  readonly packages: readonly string[];
}

const storage = ['@azure/data-tables', '@azure/identity', '@azure/storage-blob', '@azure/storage-queue'] as const;
const messaging = ['@azure/event-hubs', '@azure/service-bus'] as const;

/** Logs as JSON, and packages of apps. */
const common = ['pino', 'yauzl'] as const;

export const images: readonly ImageContents[] = [
  {
    name: 'switchyard',
    bundle: 'bundle',
    workers: ['worker-node', 'worker-custom'],
    packages: [...storage, ...messaging, ...common, 'yazl', '@switchyard/capability-library'],
  },
  { name: 'runtime', bundle: 'bundle', workers: [], packages: [...storage, ...messaging, ...common] },
  { name: 'control-plane', bundle: 'bundle', workers: [], packages: [...messaging, ...common] },
  { name: 'agent', bundle: 'bundle', workers: [], packages: ['pino'] },
  { name: 'worker-node', bundle: 'pod-bundle', workers: ['worker-node'], packages: common },
  { name: 'worker-custom', bundle: 'pod-bundle', workers: ['worker-custom'], packages: common },
];
