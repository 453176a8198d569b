import type { CapabilitySettings } from '../capability-module.ts';
import { libraryErrors } from '../errors.ts';
import { fieldOf } from '../parameters.ts';

/** What requests may cost and reach. */
export interface WebOptions {
  /** The body of a response, unpacked. */
  readonly maxResponseBytes: number;
  readonly maxRequestBytes: number;
  /** All of a request: redirects, headers and body. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  readonly maxConnectionsPerOrigin: number;
  readonly ports: ReadonlySet<number>;
  /** `host:port` pairs of the operator's own, which may be private. */
  readonly allow: ReadonlySet<string>;
}

const defaults = {
  maxResponseBytes: 2 * 1024 * 1024,
  maxRequestBytes: 1024 * 1024,
  timeoutMs: 15_000,
  maxRedirects: 5,
  maxConnectionsPerOrigin: 8,
};

const defaultPorts = [80, 443, 8080, 8443];
const maxPort = 65_535;

/** Reads the configuration from the manifest. Fails with CAPABILITY_CONFIG_INVALID. */
export function parseWebOptions({ name, config }: Pick<CapabilitySettings, 'name' | 'config'>): WebOptions {
  const refuse = (reason: string): never => {
    throw libraryErrors.create('CAPABILITY_CONFIG_INVALID', { name, reason });
  };
  const number = (field: keyof typeof defaults, minimum = 1): number => {
    const value = fieldOf(config, field) ?? defaults[field];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum) return value;
    return refuse(`${field} must be a whole number from ${minimum}`);
  };
  const ports = fieldOf(config, 'ports') ?? defaultPorts;
  if (!Array.isArray(ports) || !ports.every((port) => Number.isInteger(port) && port > 0 && port <= maxPort))
    return refuse('ports must be a list of port numbers');
  const allow = fieldOf(config, 'allow') ?? [];
  if (
    !Array.isArray(allow) ||
    !allow.every((one) => typeof one === 'string' && /^(?:[^\s:]+|\[[^\]]+\]):\d+$/.test(one))
  )
    return refuse("allow must be a list of texts like 'intranet.example:8080'");
  return {
    maxResponseBytes: number('maxResponseBytes'),
    maxRequestBytes: number('maxRequestBytes'),
    timeoutMs: number('timeoutMs'),
    maxRedirects: number('maxRedirects', 0),
    maxConnectionsPerOrigin: number('maxConnectionsPerOrigin'),
    ports: new Set(ports),
    allow: new Set(allow.map((one: string) => one.toLowerCase())),
  };
}
