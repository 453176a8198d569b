import { Secret, systemClock } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createSeal } from '../../catalog/seal.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { ScriptedAgents } from '../testing/scripted-agents.ts';
import { describeTargetContract, type TargetBench } from '../testing/target-contract.ts';
import { createAgentClient } from './agent-client.ts';
import { AgentPods } from './agent-pods.ts';
import { AgentServices } from './agent-services.ts';
import { createNodeAgentTarget } from './node-agent-target.ts';
import { ServiceRoutes } from './service-routes.ts';

const [one, two] = ['shop:1', 'shop:2'] as const;
const shop = { serviceId: 'shop', tenantId: 'acme' };
const { signal } = new AbortController();
const secretText = 'crimson-9f2';

/** Two agents; `process` opens the target as another process over the same store would. */
function open() {
  const agents = new ScriptedAgents(['http://one:9000', 'http://two:9000']);
  const log = createMemoryLog();
  const random = createSeededRandom(1);
  const store = openSqliteStore({ clock: systemClock }, { file: ':memory:' });
  const seal = createSeal(random, new Uint8Array(32));
  const process = (holder: string, settleMs = 5_000) => {
    const routes = new ServiceRoutes();
    const clients = agents.urls.map((url) =>
      createAgentClient(agents.exchange, { computeTarget: 'node-agent', url, token: new Secret('a-token') }),
    );
    const pods = new AgentPods(
      { random, log, agents: clients, probe: agents.exchange },
      {
        ...{ computeTarget: 'node-agent', containerPort: 8080, hostPorts: { first: 20_000, count: 100 } },
        healthPath: '/',
      },
    );
    const services = new AgentServices({ store, seal }, 'node-agent');
    const target = createNodeAgentTarget(
      { clock: systemClock, log, services, pods, routes, leases: store.leases },
      { name: 'node-agent', holder, urlOf: (id) => `http://${id}.localhost:7075`, pollMs: 1, settleMs },
    );
    return { routes, target };
  };
  return { agents, log, store, process, ...process('first') };
}

describeTargetContract('node agents', async (): Promise<TargetBench> => {
  const { agents, store, target } = open();
  agents.broken.add('broken:1');
  agents.slow.add('slow:1');
  return {
    ...{ target, service: shop, versions: [one, two], broken: 'broken:1', slow: 'slow:1' },
    changes: () => agents.changes,
    spoil: (version) => void agents.spoilt.add(version),
    cut: () => {
      for (const url of agents.urls) agents.away.add(url);
    },
    close: () => store.close(),
  };
});

describe('createNodeAgentTarget', () => {
  const serve = async (bench: ReturnType<typeof open>, version: string, replicas = 2): Promise<void> => {
    await bench.target.setLimits(shop, { minReplicas: replicas, maxReplicas: 10 });
    await bench.target.provision(shop, version, signal);
    await bench.target.setTraffic(shop, [{ version, weight: 100 }]);
  };
  const agentsOf = (bench: ReturnType<typeof open>, image: string) =>
    bench.agents
      .running(image)
      .map(({ agent }) => agent)
      .sort();

  it('I3: spreads replicas over the agents, as many as the limits say', async () => {
    const bench = open();
    await serve(bench, one, 4);
    expect(agentsOf(bench, one)).toEqual(['http://one:9000', 'http://one:9000', 'http://two:9000', 'http://two:9000']);
    await bench.target.setLimits(shop, { minReplicas: 1, maxReplicas: 10 });
    expect(agentsOf(bench, one)).toHaveLength(1);
    const { changes } = bench.agents;
    await serve(bench, one, 1);
    expect(bench.agents.changes).toBe(changes);
    expect(await bench.target.get('shop')).toMatchObject({ replicas: 1, endpointUrl: 'http://shop.localhost:7075' });
    await bench.store.close();
  });

  it('I1: a canary has its part of the pods before it has its part of the traffic', async () => {
    const bench = open();
    await serve(bench, one, 4);
    await bench.target.provision(shop, two, signal);
    expect(agentsOf(bench, two)).toHaveLength(1);
    const shares = [
      { version: two, weight: 50 },
      { version: one, weight: 50 },
    ];
    await bench.target.setTraffic(shop, shares);
    expect([agentsOf(bench, one).length, agentsOf(bench, two).length]).toEqual([2, 2]);
    const served = Array.from({ length: 100 }, () => bench.routes.choose('shop'));
    expect(new Set(served.map((choice) => (choice.kind === 'pod' ? choice.endpoint : choice.kind))).size).toBe(4);
    await bench.store.close();
  });

  it('I1: shifts nothing to a version whose pods do not come up', async () => {
    const bench = open();
    await serve(bench, one);
    bench.agents.slow.add(two);
    const { target } = bench.process('impatient', 20);
    const shifting = target.setTraffic(shop, [{ version: two, weight: 100 }]);
    await expect(shifting).rejects.toMatchObject({ code: 'TARGET_NOT_SETTLED' });
    expect(await bench.target.get('shop')).toMatchObject({ version: one, weights: [{ version: one, weight: 100 }] });
    await bench.store.close();
  });

  it('I2: pods with new settings are there before those with the old ones go', async () => {
    const bench = open();
    await serve(bench, one);
    const counts: number[] = [];
    const { exchange } = bench.agents;
    const before = new Set(bench.agents.pods.keys());
    Object.assign(bench.agents, {
      exchange: (ask: Parameters<typeof exchange>[0]) => {
        counts.push(bench.agents.running(one).length);
        return exchange(ask);
      },
    });
    expect(await bench.process('watched').target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]))).toBe(
      'restarted',
    );
    expect(Math.min(...counts)).toBe(2);
    const running = [...bench.agents.pods].filter(([, { state }]) => state === 'running');
    expect(running.some(([jobId]) => before.has(jobId))).toBe(false);
    expect(running.map(([, { request }]) => request.runtime.env.COLOUR)).toEqual(['red', 'red']);
    await bench.store.close();
  });

  it('settings that come before the first version are there when it starts', async () => {
    const bench = open();
    await bench.target.applySettings(shop, new Map([['COLOUR', new Secret('red')]]));
    await serve(bench, one);
    expect(bench.agents.running(one).map(({ request }) => request.runtime.env)).toEqual([
      { COLOUR: 'red', PORT: '8080' },
      { COLOUR: 'red', PORT: '8080' },
    ]);
    await bench.store.close();
  });

  it('the keeper replaces what is gone, with an agent and all that ran there', async () => {
    const bench = open();
    await serve(bench, one);
    bench.agents.lose('http://one:9000');
    expect(await bench.target.get('shop')).toMatchObject({ status: 'degraded', replicas: 1 });
    await bench.target.keep();
    await bench.target.keep();
    expect(agentsOf(bench, one)).toEqual(['http://two:9000', 'http://two:9000']);
    expect(await bench.target.get('shop')).toMatchObject({ status: 'running', replicas: 2 });
    const { changes } = bench.agents;
    await bench.target.keep();
    expect(bench.agents.changes).toBe(changes);
    await bench.store.close();
  });

  it('I4: one process keeps the pods, and every one knows where requests go', async () => {
    const bench = open();
    await serve(bench, one);
    await bench.target.keep();
    const other = bench.process('second');
    bench.agents.lose('http://one:9000');
    const { changes } = bench.agents;
    await other.target.keep();
    expect(bench.agents.changes).toBe(changes);
    expect(other.routes.choose('shop').kind).toBe('pod');
    await bench.store.close();
  });

  it('says that there is no room, and that an agent hides its pods', async () => {
    const bench = open();
    bench.agents.maxPods = 0;
    await expect(bench.target.provision(shop, one, signal)).rejects.toThrow(
      'no agent has room for 1 more pods of shop',
    );
    bench.agents.maxPods = 5;
    await serve(bench, one);
    bench.agents.away.add('http://two:9000');
    expect((await bench.target.get('shop'))?.replicas).toBe(1);
    expect(bench.log.records.map(({ message }) => message)).toContain('A node agent does not tell its pods');
    await bench.store.close();
  });

  it('no value of a setting stands in a label, an address, a record or a log line', async () => {
    const bench = open();
    await serve(bench, one);
    await bench.target.applySettings(shop, new Map([['PASSWORD', new Secret(secretText)]]));
    const { records } = bench.log;
    const kept = await bench.store.documents.list('nodeAgentService');
    const labels = [...bench.agents.pods.values()].map(({ request }) => request.labels);
    expect(kept).toHaveLength(1);
    const said = JSON.stringify([kept, labels, bench.agents.asked, records, await bench.target.get('shop')]);
    expect(said).not.toContain(secretText);
    await bench.store.close();
  });
});
