import { Secret } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { ScriptedAgents } from '../testing/scripted-agents.ts';
import { createAgentClient } from './agent-client.ts';
import { AgentPods, type AgentPodsOptions } from './agent-pods.ts';
import type { AgentService } from './agent-services.ts';

const all = [{ version: 'shop:1', weight: 100 }];
const service: AgentService = {
  ...{ serviceId: 'shop', tenantId: 'acme', versions: ['shop:1'], weights: all, planned: all },
  ...{ limits: { minReplicas: 3 }, generation: 1, settings: new Map([['PASSWORD', new Secret('crimson-9f2')]]) },
};

function open(options: Partial<AgentPodsOptions> = {}) {
  const agents = new ScriptedAgents(['http://one:9000', 'http://two:9000']);
  const clients = agents.urls.map((url) => createAgentClient(agents.exchange, { computeTarget: 'node-agent', url }));
  const pods = new AgentPods(
    { random: createSeededRandom(1), log: createMemoryLog(), agents: clients, probe: agents.exchange },
    {
      ...{ computeTarget: 'node-agent', containerPort: 8080, hostPorts: { first: 20_000, count: 2 }, healthPath: '/' },
      ...options,
    },
  );
  return { agents, pods };
}

describe('AgentPods', () => {
  it('I1: an agent that does not answer hides its pods, and when none answers nobody can tell', async () => {
    const { agents, pods } = open();
    await pods.reconcile(service, await pods.see());
    expect(await pods.see()).toHaveLength(3);
    agents.away.add('http://one:9000');
    expect((await pods.see()).map(({ agent }) => agent)).toEqual(expect.arrayContaining(['http://two:9000']));
    agents.away.add('http://two:9000');
    await expect(pods.see()).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
  });

  it('I2: a pod is ready once it answers requests', async () => {
    const { agents, pods } = open();
    agents.spoilt.add('shop:1');
    await pods.reconcile(service, []);
    expect((await pods.see()).map(({ isReady }) => isReady)).toEqual([false, false, false]);
    agents.spoilt.clear();
    expect((await pods.see()).map(({ isReady }) => isReady)).toEqual([true, true, true]);
  });

  it('I3: settings stand in the environment of a pod alone', async () => {
    const { agents, pods } = open();
    await pods.reconcile(service, []);
    const requests = [...agents.pods.values()].map(({ request }) => request);
    expect(requests.map(({ runtime }) => runtime.env.PASSWORD)).toEqual(Array(3).fill('crimson-9f2'));
    const rest = requests.map(({ runtime: { env: _, ...runtime }, ...request }) => ({ ...request, runtime }));
    expect(JSON.stringify([rest, agents.asked, await pods.see()])).not.toContain('crimson-9f2');
  });

  it('gives each pod on the network of its machine a port of its own, as long as there are any', async () => {
    const { agents, pods } = open({ network: 'host' });
    await pods.reconcile(service, []);
    const ports = [...agents.pods.values()].map(({ agent, request }) => `${agent} ${request.runtime.env.PORT}`);
    expect(new Set(ports).size).toBe(3);
    expect([...agents.pods.values()].map(({ request }) => request.runtime.network)).toEqual(Array(3).fill('host'));
    const more = { ...service, limits: { minReplicas: 5 } };
    await expect(pods.reconcile(more, await pods.see())).rejects.toThrow('all 2 ports from 20000 on are taken');
  });

  it('tells why a pod ended', async () => {
    const { agents, pods } = open();
    agents.broken.add('shop:1');
    const [first = ''] = await pods.reconcile(service, []);
    expect(await pods.endOf(first)).toBe('there is no image shop:1');
    expect(await pods.endOf('nobody')).toBe('the agent knows the pod no more');
  });
});
