import { createSettingsView } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { debuggingLimits } from './debugging-limits.ts';

const appWith = (settings: Record<string, string>) => ({ settings: createSettingsView(Object.entries(settings)) });
const dayMs = 24 * 3_600_000;

describe('debuggingLimits', () => {
  it('leaves the Runtime its limits when nobody debugs', () => {
    expect(debuggingLimits(undefined, [appWith({ NODE_OPTIONS: '--enable-source-maps' })])).toEqual({});
  });

  it.each<[string, number | undefined, Record<string, string>]>([
    ['the flag', 9229, {}],
    ['worker arguments', undefined, { languageWorkers__node__arguments: '--inspect-brk=9230' }],
    ['options of Node.js', undefined, { NODE_OPTIONS: '--inspect' }],
  ])('waits for a worker for a day when %s ask for a debugger', (_what, port, settings) => {
    const limits = debuggingLimits(port, [appWith({}), appWith(settings)]);
    const { connectMs, startStreamMs, metadataMs, loadMs, heartbeatMs = 0, heartbeatMisses = 0 } = limits;
    expect([connectMs, startStreamMs, metadataMs, loadMs, heartbeatMs * heartbeatMisses]).toEqual(Array(5).fill(dayMs));
  });
});
