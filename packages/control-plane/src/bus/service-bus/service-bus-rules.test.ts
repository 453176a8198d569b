import { describe, expect, it } from 'vitest';
import { resolveSubscription } from '../resolve-subscription.ts';
import { syncRules, toRules } from './service-bus-rules.ts';

type RuleClient = Parameters<typeof syncRules>[0];

const base = { topic: 'topic', name: 'sub' };

describe('toRules', () => {
  it('has a rule for each combination, and one for copies of this subscription', () => {
    const filter = { eventTypes: ['A', 'B'], tenantIds: ['t'], environmentIds: ['x', 'y'] };
    const rules = toRules(resolveSubscription({ ...base, filter }));
    expect(rules.map(({ filter: each }) => [each.subject, each.applicationProperties])).toEqual([
      ['A', { syTarget: '*', tenantId: 't', environmentId: 'x' }],
      ['A', { syTarget: '*', tenantId: 't', environmentId: 'y' }],
      ['B', { syTarget: '*', tenantId: 't', environmentId: 'x' }],
      ['B', { syTarget: '*', tenantId: 't', environmentId: 'y' }],
      [undefined, { syTarget: 'sub' }],
    ]);
    expect(new Set(rules.map(({ name }) => name)).size).toBe(5);
    expect(rules.every(({ name }) => name.length <= 50)).toBe(true);
  });

  it('refuses a filter that would take too many', () => {
    const filter = { eventTypes: Array.from({ length: 20 }, (_, index) => `T${index}`), tenantIds: [] as string[] };
    const tenantIds = Array.from({ length: 10 }, (_, index) => `t${index}`);
    expect(() => toRules(resolveSubscription({ ...base, filter: { ...filter, tenantIds } }))).toThrow(
      /it makes 201 rules, and 200 are the most/,
    );
  });
});

describe('syncRules', () => {
  it('adds before it removes, and does nothing when all is as it should be', async () => {
    const calls: string[] = [];
    const present = new Set(['$Default', 'sy-keep']);
    const manager = {
      async *listRules() {
        for (const name of present) yield { name };
      },
      createRule: async (name: string) => {
        calls.push(`+${name}`);
        present.add(name);
      },
      deleteRule: async (name: string) => {
        calls.push(`-${name}`);
        present.delete(name);
      },
    } as unknown as RuleClient;
    const wanted = ['sy-keep', 'sy-new'].map((name) => ({ name, filter: {} }));
    await syncRules(manager, wanted);
    expect(calls).toEqual(['+sy-new', '-$Default']);
    await syncRules(manager, wanted);
    expect(calls).toHaveLength(2);
  });
});
