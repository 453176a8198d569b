import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultAgentSettings, settingPaths } from './agent-settings.ts';
import { describeSettings, readAgentSettings, type SettingsSources, settingVariable } from './read-agent-settings.ts';

const file = (text: string, name = 'worker.yaml'): SettingsSources['file'] => ({ name, text });
const problemOf = (sources: SettingsSources): string => {
  try {
    readAgentSettings(sources);
  } catch (error) {
    return String(error);
  }
  return 'none';
};

describe('readAgentSettings', () => {
  it('takes what each source says, the later one before the earlier', () => {
    const { settings, origins } = readAgentSettings({
      file: file('max_concurrent_jobs: 2\nlimits:\n  default: {memory_mb: 64, cpus: 0.5}\nlabels: [gpu]\n'),
      environment: {
        SWITCHYARD_AGENT_LIMITS_DEFAULT_MEMORY_MB: '128',
        SWITCHYARD_AGENT_ALLOWED_IMAGES: 'busybox, example.com/*',
        SWITCHYARD_AGENT_READ_ONLY_ROOT: 'false',
        SWITCHYARD_AGENT_URL: 'http://ignored',
      },
      flags: [{ path: 'listen.port', value: 9_001, flag: '--port' }],
    });
    expect(settings).toMatchObject({
      max_concurrent_jobs: 2,
      labels: ['gpu'],
      allowed_images: ['busybox', 'example.com/*'],
      read_only_root: false,
      listen: { host: '127.0.0.1', port: 9_001 },
      limits: { default: { memory_mb: 128, cpus: 0.5, pids: 256 } },
    });
    expect(Object.fromEntries(origins)).toEqual({
      max_concurrent_jobs: 'worker.yaml',
      'limits.default.memory_mb': 'SWITCHYARD_AGENT_LIMITS_DEFAULT_MEMORY_MB',
      'limits.default.cpus': 'worker.yaml',
      labels: 'worker.yaml',
      allowed_images: 'SWITCHYARD_AGENT_ALLOWED_IMAGES',
      read_only_root: 'SWITCHYARD_AGENT_READ_ONLY_ROOT',
      'listen.port': '--port',
    });
  });

  it('reads JSON as well, and a file that says nothing', () => {
    expect(readAgentSettings({ file: file('{"worker_id": "w1"}', 'w.json') }).settings.worker_id).toBe('w1');
    for (const text of ['', '# nothing\n', 'limits:\n']) {
      expect(readAgentSettings({ file: file(text) }).settings).toEqual(defaultAgentSettings);
    }
  });

  it.each([
    ["worker.yaml: there is no setting 'color'", { file: file('color: red') }],
    ["there is no setting 'limits.default.disk'", { file: file('limits: {default: {disk: 1}}') }],
    ["there is no setting '__proto__", { file: file('__proto__: {x: 1}') }],
    ["'limits' must hold limits.default.memory_mb", { file: file('limits: 3') }],
    ['it must hold settings by name', { file: file('- a') }],
    ['worker.yaml:', { file: file('a: [') }],
    [
      'limits.default.memory_mb (worker.yaml): "much" cannot be used',
      { file: file('limits: {default: {memory_mb: much}}') },
    ],
    ['listen.port (SWITCHYARD_AGENT_LISTEN_PORT): 70000', { environment: { SWITCHYARD_AGENT_LISTEN_PORT: '70000' } }],
    [
      'max_concurrent_jobs (SWITCHYARD_AGENT_MAX_CONCURRENT_JOBS): "-1"',
      { environment: { SWITCHYARD_AGENT_MAX_CONCURRENT_JOBS: '-1' } },
    ],
    [
      'read_only_root (SWITCHYARD_AGENT_READ_ONLY_ROOT): "yes"',
      { environment: { SWITCHYARD_AGENT_READ_ONLY_ROOT: 'yes' } },
    ],
    ['must be an image pattern', { file: file('allowed_images: ["NOT AN IMAGE"]') }],
    ['the default is 512, and the maximum only 100', { file: file('limits: {maximum: {memory_mb: 100}}') }],
    ["'bridge' is not among allowed_networks", { file: file('default_network: bridge') }],
    ["the store 'sqlite' needs a file", { file: file('store: {kind: sqlite}') }],
    ['nothing else tells which containers', { file: file('store: {kind: sqlite, path: x}\nlisten: {port: 0}') }],
    ["'--port'", { flags: [{ path: 'listen.port', value: -5, flag: "'--port'" }] }],
  ] as const)('says what is wrong: %s', (problem, sources) => {
    const text = problemOf(sources);
    expect(text).toContain(problem);
    expect(text).toContain('--print-config');
  });

  it('shows every setting with its source, and no token', () => {
    const page = describeSettings(readAgentSettings({ environment: { SWITCHYARD_AGENT_TOKEN: 'very-secret' } }));
    const lines = page.trimEnd().split('\n');
    expect(lines).toHaveLength(settingPaths.length);
    expect(page).toMatch(/^token +\*\*\* +SWITCHYARD_AGENT_TOKEN$/m);
    expect(page).toMatch(/^listen.port +9000 +default$/m);
    expect(page).not.toContain('very-secret');
    expect(problemOf({ environment: { SWITCHYARD_AGENT_TOKEN: 'x'.repeat(5_000) } })).not.toContain('xxxxx');
  });

  it('has a variable of its own for every setting', () => {
    expect(new Set(settingPaths.map(settingVariable)).size).toBe(settingPaths.length);
  });

  it('config/worker-default.yaml says what holds anyway, and names every setting', () => {
    const text = readFileSync(new URL('../../../../config/worker-default.yaml', import.meta.url), 'utf8');
    const { settings, origins } = readAgentSettings({ file: file(text, 'worker-default.yaml') });
    expect(settings).toEqual(defaultAgentSettings);
    expect([...origins.keys()].sort()).toEqual([...settingPaths].sort());
  });
});
