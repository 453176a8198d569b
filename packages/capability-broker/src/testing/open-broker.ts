import { silentLog, silentMeter } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { type Account, Broker } from '../broker/broker.ts';
import { type BrokerOptions, defaultBrokerOptions } from '../broker/broker-options.ts';
import { parseAcquire } from '../broker/parse-acquire.ts';
import { type CapabilityManifestInput, parseManifest } from '../registry/capability-manifest.ts';
import type { SpanRecord } from '../tracing/spans.ts';
import { FakeHost } from './fake-hosts.ts';

/** A broker on virtual time, with hosts that the test drives. */
export function openBroker(change: Partial<BrokerOptions> = {}) {
  const clock = new VirtualClock();
  const hosts = new Map<string, FakeHost>();
  const spans: SpanRecord[] = [];
  const preparations: ((host: FakeHost, place: string) => void)[] = [];
  const broker = new Broker(
    {
      clock,
      log: silentLog,
      meter: silentMeter,
      random: createSeededRandom(7),
      openHost: (manifest, shard) => {
        const place = `${manifest.version} ${shard}`;
        const host = new FakeHost();
        for (const prepare of preparations) prepare(host, place);
        hosts.set(place, host);
        return host.connection;
      },
      recordSpan: (span) => void spans.push(span),
      pathsOf: (_manifest, instanceId) => ({ directPath: `/hosts/${instanceId}`, statePath: undefined }),
    },
    { ...defaultBrokerOptions, ...change },
  );
  const register = (key: string, rest: Partial<CapabilityManifestInput> = {}, weight = 100): void => {
    const [name = '', version = ''] = key.split('@');
    broker.registry.register(
      parseManifest({ name, version, tier: 2, kind: 'thread', entry: 'x.mjs', ...rest }),
      weight,
    );
  };
  const acquire = (account: string, message: object) => broker.acquire(accountOf(account), parseAcquire(message));
  const prepareHosts = (prepare: (host: FakeHost, place: string) => void): number => preparations.push(prepare);
  return { clock, broker, hosts, spans, register, acquire, prepareHosts };
}

export function accountOf(id: string, privileged = false): Account {
  return { id, privileged };
}

/** The requirements of a manifest from names. */
export function needs(...names: readonly string[]): Pick<CapabilityManifestInput, 'requires'> {
  return { requires: names.map((name) => ({ name, range: '*' })) };
}
