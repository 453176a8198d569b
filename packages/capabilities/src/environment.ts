import { CapabilityError } from './capability-error.ts';
import type { CapabilityBroker } from './contract.ts';
import { type Capabilities, createCapabilities } from './create-capabilities.ts';

/** The names under which a worker's environment tells where the broker is, and who the worker is. */
export const environmentNames = {
  endpoint: 'SWITCHYARD_CAPABILITIES_ENDPOINT',
  token: 'SWITCHYARD_CAPABILITIES_TOKEN',
} as const;

/** The broker that the environment names. It is read when it is first needed, so importing this costs nothing. */
export const capabilities: Capabilities = createCapabilities({
  endpoint: () => readVariable(environmentNames.endpoint),
  token: () => readVariable(environmentNames.token),
  now: () => Date.now(),
  traceparent: () => readAmbientTrace(),
});

/** The same under the name of the founding document: `env.CAPABILITY_BROKER.acquire(...)`. */
export const env: { readonly CAPABILITY_BROKER: CapabilityBroker } = { CAPABILITY_BROKER: capabilities };

/** Where a worker puts a function that tells the `traceparent` of the invocation that runs. */
export const ambientTraceKey: symbol = Symbol.for('switchyard.traceparent');

/** Undefined in workers that tell none; functions there hand it to `acquire`. */
function readAmbientTrace(): string | undefined {
  const read: unknown = Reflect.get(globalThis, ambientTraceKey);
  const text: unknown = typeof read === 'function' ? read() : undefined;
  return typeof text === 'string' ? text : undefined;
}

function readVariable(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  const message = `${name} is not set, so there is no broker to ask. 'switchyard caps serve' starts one and prints its variables.`;
  throw new CapabilityError('BROKER_UNREACHABLE', message);
}
