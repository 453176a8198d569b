/**
 * Which package may use which, by folder name; the arrows only point down. Services (`runtime`, `sidecar`,
 * the workers) never import one another: they meet through `protocol` alone, and the composition roots join them.
 */
export const packageEdges: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  model: ['kernel'],
  protocol: ['kernel', 'model'],
  telemetry: ['kernel', 'model', 'protocol'],
  identity: ['kernel', 'model', 'protocol'],
  triggers: ['kernel', 'model', 'protocol'],
  runtime: ['kernel', 'model', 'protocol', 'triggers'],
  sidecar: ['kernel', 'model', 'protocol'],
  'scale-controller': ['kernel', 'model', 'protocol'],
  'control-plane': ['kernel', 'model', 'protocol', 'identity'],
  'node-agent': ['kernel', 'model', 'protocol'],
  'capability-broker': ['kernel', 'model', 'protocol', 'capabilities'],
  capabilities: [],
  'capability-library': ['kernel', 'capabilities'],
  'worker-node': ['kernel', 'protocol'],
  'worker-custom': ['kernel', 'model', 'protocol'],
  testkit: ['kernel', 'model', 'protocol'],
  standalone: [
    'kernel',
    'model',
    'protocol',
    'telemetry',
    'triggers',
    'runtime',
    'sidecar',
    'scale-controller',
    'identity',
    'control-plane',
    'node-agent',
    'capability-broker',
    'capabilities',
    'capability-library',
    'worker-node',
    'worker-custom',
  ],
  cli: ['kernel', 'model', 'protocol', 'telemetry', 'standalone'],
};

/** Packages that only tests may import. */
export const testOnlyPackages: readonly string[] = ['testkit'];

/** The scope that all packages share. */
export const packageScope = '@switchyard/';
