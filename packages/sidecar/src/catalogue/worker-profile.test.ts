import { describe, expect, test } from 'vitest';
import type { Machine } from './machine.ts';
import { parseWorkerConfig } from './worker-config.ts';
import { type ChosenProfile, chooseProfile } from './worker-profile.ts';

const machine: Machine = { operatingSystem: 'LINUX', architecture: 'X64', hostVersion: '4.1037.0', processors: 4 };

function choose(profiles: readonly unknown[], variables: Record<string, string> = {}): ChosenProfile {
  const description = { language: 'java', defaultExecutablePath: 'java' };
  const config = parseWorkerConfig(JSON.stringify({ description, profiles }), '/w/worker.config.json');
  return chooseProfile(config.profiles, { machine, variable: (name) => variables[name] });
}

function condition(conditionType: string, conditionName: string, conditionExpression: string): unknown {
  return { conditionType, conditionName, conditionExpression };
}

describe('chooseProfile', () => {
  test.each<[string, unknown, Record<string, string>, boolean]>([
    ['a variable that matches', condition('environment', 'AGENT', '(?i)^true$'), { AGENT: 'True' }, true],
    ['a variable that does not', condition('environment', 'AGENT', '(?i)^true$'), { AGENT: 'truest' }, false],
    ['a variable that is not set', condition('environment', 'AGENT', '.*'), {}, false],
    ['a variable that is empty', condition('environment', 'AGENT', '.*'), { AGENT: '' }, false],
    ['the sku', condition('hostProperty', 'sku', 'Dynamic'), { WEBSITE_SKU: 'Dynamic' }, true],
    ['no sku', condition('hostProperty', 'sku', 'Dynamic'), {}, false],
    ['the platform', condition('hostProperty', 'platform', '^LINUX$'), {}, true],
    ['another platform', condition('hostProperty', 'platform', '^WINDOWS$'), {}, false],
    ['the host version', condition('HostProperty', 'HostVersion', '^4\\.'), {}, true],
    ['a later host', condition('hostProperty', 'hostVersion', '^5\\.'), {}, false],
  ])('%s', (_name, one, variables, chosen) => {
    const { profile, notes } = choose([{ profileName: 'p', conditions: [one] }], variables);
    expect(profile?.name).toBe(chosen ? 'p' : undefined);
    expect(notes).toEqual([]);
  });

  test('all conditions must hold, and the first profile wins', () => {
    const yes = condition('hostProperty', 'platform', 'LINUX');
    const no = condition('hostProperty', 'platform', 'OSX');
    const profiles = [
      { profileName: 'half', conditions: [yes, no] },
      { profileName: 'first', conditions: [yes, yes], description: { arguments: ['-javaagent:a.jar'], language: '' } },
      { profileName: 'second', conditions: [yes] },
    ];
    expect(choose(profiles).profile).toMatchObject({ name: 'first', description: { arguments: ['-javaagent:a.jar'] } });
  });

  test.each<[string, readonly unknown[], string]>([
    ['an unknown type', [condition('moon', 'phase', 'full')], "the conditionType 'moon' of 'phase' is neither"],
    ['an unknown property', [condition('hostProperty', 'mood', 'x')], "the host property 'mood' is none of"],
    ['a broken expression', [condition('environment', 'A', '(')], "'(' of 'A' is no regular expression"],
    ['no expression', [{ conditionType: 'environment', conditionName: 'A' }], 'is no regular expression (it is empty)'],
    ['no name', [condition('environment', '', 'x')], 'has no conditionName'],
    ['no conditions', [], 'it has no conditions'],
    ['an endless expression', [condition('environment', 'A', '^(a+)+$')], 'takes too long'],
  ])('%s disables its profile alone, and is told', (_name, conditions, reason) => {
    const good = { profileName: 'good', conditions: [condition('hostProperty', 'platform', 'LINUX')] };
    const { profile, notes } = choose([{ profileName: 'bad', conditions }, good], { A: `${'a'.repeat(50)}b` });
    expect(profile?.name).toBe('good');
    expect(notes).toEqual([expect.stringContaining("Profile 'bad' is not used: ")]);
    expect(notes[0]).toContain(reason);
  });
});
