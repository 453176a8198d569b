/** Third-party packages that appear in one adapter folder each, and nowhere else. */
export interface SdkFolder {
  /** A package name, or a scope with `/*`. */
  readonly sdk: string;
  /** The folders or files that may import it, at run time or as a type. */
  readonly folders: readonly string[];
}

export const sdkFolders: readonly SdkFolder[] = [
  {
    sdk: '@azure/*',
    folders: [
      'packages/triggers/src/azure-identity/',
      'packages/triggers/src/azure-storage/',
      'packages/triggers/src/azure-messaging/',
      'packages/control-plane/src/bus/service-bus/',
      'packages/control-plane/src/targets/azure/',
    ],
  },
  { sdk: '@kubernetes/client-node', folders: ['packages/standalone/src/kubernetes/official-client/'] },
  { sdk: '@redis/client', folders: ['packages/triggers/src/redis-client/'] },
  {
    sdk: 'amqplib',
    folders: ['packages/triggers/src/amqplib/', 'packages/triggers/src/rabbitmq/rabbitmq-listener.test.ts'],
  },
  { sdk: '@opentelemetry/*', folders: ['packages/telemetry/src/'] },
  { sdk: 'jose', folders: ['packages/identity/src/jose/'] },
  { sdk: 'capnweb', folders: ['packages/capability-broker/src/rpc/', 'packages/capabilities/src/rpc/'] },
  { sdk: 'cockatiel', folders: ['packages/capability-broker/src/resilience/'] },
  { sdk: '@nats-io/*', folders: ['packages/control-plane/src/bus/nats/'] },
  { sdk: 'onnxruntime-web', folders: ['packages/capability-library/src/inference/'] },
  { sdk: 'parse5', folders: ['packages/capability-library/src/web/'] },
  {
    sdk: 'pg',
    folders: [
      'packages/capability-library/src/data/postgresql/',
      'packages/control-plane/src/store/postgresql/',
      'packages/control-plane/src/targets/postgresql/',
      'packages/scale-controller/src/store/postgresql/',
    ],
  },
  { sdk: 're2js', folders: ['packages/model/src/linear-regex/'] },
  { sdk: 'rhea', folders: ['packages/testkit/src/amqp/', 'packages/triggers/src/azure-messaging/'] },
  { sdk: 'undici', folders: ['packages/capability-library/src/web/'] },
  { sdk: 'https-proxy-agent', folders: ['packages/triggers/src/azure-messaging/'] },
  {
    sdk: 'ws',
    folders: [
      'packages/capability-broker/src/rpc/',
      'packages/capabilities/src/rpc/',
      'packages/testkit/src/amqp/',
      'packages/triggers/src/azure-messaging/',
    ],
  },
  { sdk: 'yazl', folders: ['packages/cli/src/packing/'] },
  { sdk: 'yauzl', folders: ['packages/sidecar/src/packages/'] },
  { sdk: 'pino', folders: ['packages/telemetry/src/'] },
];
