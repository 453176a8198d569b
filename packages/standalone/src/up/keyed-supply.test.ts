import type { ApplicationDefinition } from '@switchyard/model';
import type { SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';
import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { KeyedSupply } from './keyed-supply.ts';

function createGroup(name: string, told: string[]) {
  const observers = new Set<(event: SupplyEvent) => void>();
  const supply: WorkerSupply = {
    ensure: ({ application }) => told.push(`${name} ensures ${application.applicationId}`),
    release: (workerId) => told.push(`${name} releases ${workerId}`),
    watch(observer) {
      observers.add(observer);
      return () => observers.delete(observer);
    },
  };
  const say = (line: string): void => {
    for (const observer of observers) observer({ kind: 'console', workerId: 'w', stream: 'stdout', line });
  };
  return { supply, say, observers };
}

const versionOf = (applicationId: string): ApplicationDefinition => ({
  applicationId,
  metadataVersion: 'm',
  codeVersion: 'c',
});

const wish = (applicationId: string): SupplyRequest => ({
  application: versionOf(applicationId),
  count: 1,
  urgency: 'normal',
  reason: 'activate',
});

function open() {
  const told: string[] = [];
  const log = createMemoryLog();
  const tenants = new Map([
    ['shop', 'contoso'],
    ['blog', 'fabrikam'],
    ['wiki', 'adatum'],
  ]);
  const supply = new KeyedSupply({ log, keyOf: ({ applicationId }) => tenants.get(applicationId) });
  return { told, log, supply };
}

describe('KeyedSupply', () => {
  it("I1: a wish reaches the supply of its version's key alone", () => {
    const { told, log, supply } = open();
    supply.add('contoso', createGroup('first', told).supply);
    supply.add('fabrikam', createGroup('second', told).supply);
    supply.ensure(wish('blog'));
    supply.ensure(wish('shop'));
    expect(told).toEqual(['second ensures blog', 'first ensures shop']);
    for (const unknown of ['wiki', 'gone']) supply.ensure(wish(unknown));
    expect(told).toHaveLength(2);
    expect(log.records.map(({ level, fields }) => [level, fields.applicationId])).toEqual([
      ['warning', 'wiki'],
      ['warning', 'gone'],
    ]);
  });

  it('I2: observers hear each supply once, also later ones and shared ones, until they leave', () => {
    const { told, supply } = open();
    const first = createGroup('first', told);
    const second = createGroup('second', told);
    supply.add('contoso', first.supply);
    const heard: string[] = [];
    const leave = supply.watch((event) => heard.push(event.kind === 'console' ? event.line : event.kind));
    supply.add('adatum', first.supply);
    supply.add('fabrikam', second.supply);
    first.say('one');
    second.say('two');
    expect(heard).toEqual(['one', 'two']);
    supply.release('w', 'idle');
    expect(told).toEqual(['first releases w', 'second releases w']);
    leave();
    expect([first.observers.size, second.observers.size]).toEqual([0, 0]);
  });
});
