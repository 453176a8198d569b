import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultAgentSettings, settingPaths } from './agent-settings.ts';
import { describeSettings, readAgentSettings, type SettingsSources, settingVariable } from './read-agent-settings.ts';
import { readSettingsFile } from './read-settings-file.ts';

type Rest = Omit<SettingsSources, 'file'>;

/** Reads a file of that text, when there is one, and the other sources. */
const read = async (text: string | undefined, rest: Rest = {}, name = 'worker.yaml') =>
  readAgentSettings({ ...rest, file: text === undefined ? undefined : await readSettingsFile(name, text) });
const problemOf = async (text: string | undefined, rest: Rest = {}): Promise<string> => {
  try {
    await read(text, rest);
  } catch (error) {
    return String(error);
  }
  return 'none';
};

describe('readAgentSettings', () => {
  it('takes what each source says, the later one before the earlier', async () => {
    const text = 'max_concurrent_jobs: 2\nlimits:\n  default: {memory_mb: 64, cpus: 0.5}\nlabels: [gpu]\n';
    const { settings, origins } = await read(text, {
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
      listen: { host: '127.0.0.1', port: 9_001, tls_certificate: '', tls_key: '' },
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

  it('reads JSON as well, and a file that says nothing', async () => {
    expect((await read('{"worker_id": "w1"}', {}, 'w.json')).settings.worker_id).toBe('w1');
    for (const text of ['', '# nothing\n', 'limits:\n'])
      expect((await read(text)).settings).toEqual(defaultAgentSettings);
  });

  it.each([
    ["worker.yaml: there is no setting 'color'", 'color: red'],
    ["there is no setting 'limits.default.disk'", 'limits: {default: {disk: 1}}'],
    ["there is no setting '__proto__", '__proto__: {x: 1}'],
    ["'limits' must hold limits.default.memory_mb", 'limits: 3'],
    ['it must hold settings by name', '- a'],
    ['worker.yaml:', 'a: ['],
    ['limits.default.memory_mb (worker.yaml): "much" cannot be used', 'limits: {default: {memory_mb: much}}'],
    ['listen.port (SWITCHYARD_AGENT_LISTEN_PORT): 70000', { environment: { SWITCHYARD_AGENT_LISTEN_PORT: '70000' } }],
    [
      'max_concurrent_jobs (SWITCHYARD_AGENT_MAX_CONCURRENT_JOBS): "-1"',
      { environment: { SWITCHYARD_AGENT_MAX_CONCURRENT_JOBS: '-1' } },
    ],
    [
      'read_only_root (SWITCHYARD_AGENT_READ_ONLY_ROOT): "yes"',
      { environment: { SWITCHYARD_AGENT_READ_ONLY_ROOT: 'yes' } },
    ],
    ['must be an image pattern', 'allowed_images: ["NOT AN IMAGE"]'],
    ['the default is 512, and the maximum only 100', 'limits: {maximum: {memory_mb: 100}}'],
    ["'bridge' is not among allowed_networks", 'default_network: bridge'],
    ["the store 'sqlite' needs a file", 'store: {kind: sqlite}'],
    ['nothing else tells which containers', 'store: {kind: sqlite, path: x}\nlisten: {port: 0}'],
    ["'--port'", { flags: [{ path: 'listen.port', value: -5, flag: "'--port'" }] }],
  ] as const)('says what is wrong: %s', async (problem, given) => {
    const text = typeof given === 'string' ? await problemOf(given) : await problemOf(undefined, given);
    expect(text).toContain(problem);
    expect(text).toContain('--print-config');
  });

  it('shows every setting with its source, and no token', async () => {
    const page = describeSettings(readAgentSettings({ environment: { SWITCHYARD_AGENT_TOKEN: 'very-secret' } }));
    const lines = page.trimEnd().split('\n');
    expect(lines).toHaveLength(settingPaths.length);
    expect(page).toMatch(/^token +\*\*\* +SWITCHYARD_AGENT_TOKEN$/m);
    expect(page).toMatch(/^listen.port +9000 +default$/m);
    expect(page).not.toContain('very-secret');
    const tooLong = { environment: { SWITCHYARD_AGENT_TOKEN: 'x'.repeat(5_000) } };
    expect(await problemOf(undefined, tooLong)).not.toContain('xxxxx');
  });

  it('has a variable of its own for every setting', () => {
    expect(new Set(settingPaths.map(settingVariable)).size).toBe(settingPaths.length);
  });

  it('config/worker-default.yaml says what holds anyway, and names every setting', async () => {
    const text = readFileSync(new URL('../../../../config/worker-default.yaml', import.meta.url), 'utf8');
    const { settings, origins } = await read(text, {}, 'worker-default.yaml');
    expect(settings).toEqual(defaultAgentSettings);
    expect([...origins.keys()].sort()).toEqual([...settingPaths].sort());
  });
});
