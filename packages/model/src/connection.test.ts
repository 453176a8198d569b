import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { resolveConnection } from './connection.ts';
import { createSettingsView } from './settings.ts';

const resolve = (settings: Record<string, string>, name?: string) => {
  const found = resolveConnection(createSettingsView(Object.entries(settings)), name);
  if (found.kind === 'connectionString') return [found.settingName, found.value.reveal()];
  if (found.kind === 'identity')
    return [found.settingName, [...found.members].map(([key, value]) => [key, value.reveal()])];
  return found;
};

describe('resolveConnection', () => {
  it('takes AzureWebJobsStorage when the binding names none', () => {
    expect(resolve({ AzureWebJobsStorage: 'A' })).toEqual(['AzureWebJobsStorage', 'A']);
    expect(resolve({ AzureWebJobsStorage: 'A' }, ' ')).toEqual(['AzureWebJobsStorage', 'A']);
  });

  it('looks with the prefix first, and among connection strings before settings', () => {
    const all = {
      'ConnectionStrings:AzureWebJobsOrders': '1',
      AzureWebJobsOrders: '2',
      ConnectionStrings__Orders: '3',
      orders: '4',
    };
    expect(resolve(all, 'Orders')).toEqual(['ConnectionStrings:AzureWebJobsOrders', '1']);
    expect(resolve({ AzureWebJobsOrders: '2', ConnectionStrings__Orders: '3', orders: '4' }, 'Orders')).toContain('2');
    expect(resolve({ ConnectionStrings__Orders: '3', orders: '4' }, 'Orders')).toContain('3');
    expect(resolve({ orders: '4' }, 'Orders')).toContain('4');
    expect(resolve({ AzureWebJobsStorage: '5' }, 'Storage')).toContain('5');
  });

  it('takes the members of a section as an identity', () => {
    expect(resolve({ Orders__serviceUri: 'https://x', Orders__credential: 'managedidentity' }, 'Orders')).toEqual([
      'Orders',
      [
        ['serviceuri', 'https://x'],
        ['credential', 'managedidentity'],
      ],
    ]);
  });

  it('prefers a value to members of the same name', () => {
    expect(resolve({ Orders: 'value', Orders__serviceUri: 'https://x' }, 'Orders')).toEqual(['Orders', 'value']);
  });

  it('counts an empty value as none, and lists what it tried', () => {
    expect(resolve({ Orders: '', Orders__serviceUri: '' }, 'Orders')).toEqual({
      kind: 'missing',
      name: 'Orders',
      tried: ['ConnectionStrings:AzureWebJobsOrders', 'AzureWebJobsOrders', 'ConnectionStrings:Orders', 'Orders'],
    });
  });

  it('prints no secret', () => {
    const settings = createSettingsView([
      ['A', 'AccountKey=hunter2'],
      ['B__clientSecret', 'hunter2'],
    ]);
    const printed = inspect([resolveConnection(settings, 'A'), resolveConnection(settings, 'B')], { depth: null });
    expect(printed).not.toContain('hunter2');
    expect(printed).toContain('***');
  });
});
