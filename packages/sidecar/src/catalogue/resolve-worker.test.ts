import { readFile } from 'node:fs/promises';
import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Interpreter } from './interpreter.ts';
import type { Machine } from './machine.ts';
import type { WorkerRequest } from './resolution.ts';
import { type ResolvedWorker, resolveWorker } from './resolve-worker.ts';
import { createMemoryFiles } from './testing/memory-files.ts';
import { readWorkerCatalogue } from './worker-catalogue.ts';

const machine: Machine = { operatingSystem: 'LINUX', architecture: 'X64', hostVersion: '4.1037.0', processors: 4 };

/** The official workers' files, cut to what matters. */
const official: Readonly<Record<string, unknown>> = {
  node: {
    description: {
      language: 'node',
      extensions: ['.js', '.mjs', '.cjs'],
      defaultExecutablePath: 'node',
      defaultWorkerPath: 'dist/src/nodejsWorker.js',
      workerIndexing: 'true',
    },
    processOptions: { initializationTimeout: '00:02:00', environmentReloadTimeout: '00:02:00' },
  },
  python: {
    description: {
      language: 'python',
      defaultRuntimeVersion: '3.12',
      supportedOperatingSystems: ['LINUX', 'OSX', 'WINDOWS'],
      supportedRuntimeVersions: ['3.11', '3.12'],
      supportedArchitectures: ['X64', 'Arm64'],
      extensions: ['.py'],
      defaultExecutablePath: 'python',
      defaultWorkerPath: '%FUNCTIONS_WORKER_RUNTIME_VERSION%/{os}/{architecture}/worker.py',
      workerIndexing: 'true',
      arguments: ['-X no_debug_ranges'],
    },
  },
  java: {
    description: {
      language: 'java',
      extensions: ['.jar'],
      defaultExecutablePath: '%JAVA_HOME%/bin/java',
      defaultWorkerPath: 'azure-functions-java-worker.jar',
      arguments: ['-XX:+TieredCompilation -noverify -jar', '%JAVA_OPTS%', '%MESH_OPTS%'],
    },
    profiles: [
      {
        profileName: 'agent',
        conditions: [
          { conditionType: 'environment', conditionName: 'AGENT_ENABLED', conditionExpression: '(?i)^true$' },
          { conditionType: 'hostProperty', conditionName: 'platform', conditionExpression: 'LINUX' },
        ],
        description: { arguments: ['-javaagent:"{workerDirectoryPath}/agent/a.jar" -jar'] },
      },
    ],
  },
  powershell: {
    description: {
      language: 'powershell',
      extensions: ['.ps1', '.psm1'],
      defaultExecutablePath: 'dotnet',
      defaultWorkerPath: '%FUNCTIONS_WORKER_RUNTIME_VERSION%/PowerShellWorker.dll',
      supportedRuntimeVersions: ['7', '7.2', '7.4'],
      defaultRuntimeVersion: null,
      sanitizeRuntimeVersionRegex: '\\d+\\.?\\d*',
    },
  },
  off: { description: { language: 'off', defaultExecutablePath: 'x', isDisabled: true } },
};

const workerFiles = {
  ...Object.fromEntries(
    Object.entries(official).map(([name, text]) => [`/my workers/${name}/worker.config.json`, JSON.stringify(text)]),
  ),
  '/my workers/broken/worker.config.json': '{ "description": 1 }',
  '/my workers/node/dist/src/nodejsWorker.js': '',
  '/my workers/python/3.11/LINUX/X64/worker.py': '',
  '/my workers/python/3.12/LINUX/X64/worker.py': '',
  '/my workers/java/azure-functions-java-worker.jar': '',
  '/my workers/powershell/7.4/PowerShellWorker.dll': '',
  '/opt/java/bin/java': '',
  '/usr/bin/python3': '',
  '/opt/24/node': '',
  '/opt/20/node': '',
};

interface Situation {
  readonly settings?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly interpreters?: Record<string, readonly Interpreter[]>;
  readonly machine?: Partial<Machine>;
}

async function resolve(language: string, situation: Situation = {}): Promise<ResolvedWorker> {
  const files = createMemoryFiles({ ...workerFiles, ...situation.files });
  const catalogue = await readWorkerCatalogue(files, [{ path: '/my workers', source: 'a test' }]);
  const interpreters = new Map(Object.entries(situation.interpreters ?? {}));
  const request: WorkerRequest = { language, scriptRoot: '/app', environment: situation.settings ?? {} };
  return resolveWorker({ files, catalogue, interpreters, machine: { ...machine, ...situation.machine } }, request);
}

async function failure(language: string, situation: Situation): Promise<{ code: string; message: string }> {
  try {
    await resolve(language, situation);
  } catch (thrown) {
    if (isPlatformError(thrown)) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
  throw new Error('it was resolved');
}

describe('official workers', () => {
  test('Node.js', async () => {
    expect(await resolve('Node', { settings: { PATH: '/bin' } })).toEqual({
      language: 'node',
      runtimeVersion: '',
      file: '/my workers/node/worker.config.json',
      profile: undefined,
      launch: {
        executable: 'node',
        arguments: [],
        workerPath: '/my workers/node/dist/src/nodejsWorker.js',
        workerArguments: [],
        directory: '/app',
        environment: {
          PATH: '/bin',
          AzureWebJobsScriptRoot: '/app',
          FUNCTIONS_WORKER_DIRECTORY: '/my workers/node',
          FUNCTIONS_APPLICATION_DIRECTORY: '/app',
        },
      },
      traits: {
        workerIndexing: true,
        extensions: ['.js', '.mjs', '.cjs'],
        processCount: 1,
        maxProcessCount: 10,
        processStartupIntervalMs: 10_000,
        processStartupTimeoutMs: 60_000,
        initializationTimeoutMs: 120_000,
        environmentReloadTimeoutMs: 120_000,
        processRestartIntervalMs: 10_000,
        processShutdownTimeoutMs: 10_000,
        stderrIsError: false,
        ignoresTermination: false,
        canUsePlaceholder: true,
        presentsKey: false,
      },
      notes: [],
    });
  });

  test('Python: version, system and architecture in the path, threads by default', async () => {
    const { launch, runtimeVersion, traits } = await resolve('python');
    expect(runtimeVersion).toBe('3.12');
    expect(launch).toMatchObject({
      executable: 'python',
      arguments: ['-X', 'no_debug_ranges'],
      workerPath: '/my workers/python/3.12/LINUX/X64/worker.py',
      environment: { FUNCTIONS_WORKER_RUNTIME_VERSION: '3.12', PYTHON_THREADPOOL_THREAD_COUNT: '1000' },
    });
    expect(traits).toMatchObject({ workerIndexing: true, ignoresTermination: true });
  });

  test('Java: variables in program and arguments, several words in one argument', async () => {
    const { launch, traits } = await resolve('java', {
      settings: { JAVA_HOME: '/opt/java', JAVA_OPTS: '-Xmx1g -Da=b' },
    });
    expect(launch).toMatchObject({
      executable: '/opt/java/bin/java',
      arguments: ['-XX:+TieredCompilation', '-noverify', '-jar', '-Xmx1g', '-Da=b'],
      workerPath: '/my workers/java/azure-functions-java-worker.jar',
    });
    expect(traits).toMatchObject({ workerIndexing: false, initializationTimeoutMs: 10_000 });
  });

  test('Java with an agent: the profile, and a folder with a blank in one argument', async () => {
    const { launch, profile } = await resolve('java', { settings: { JAVA_HOME: '/opt/java', AGENT_ENABLED: 'TRUE' } });
    expect(profile).toBe('agent');
    expect(launch.arguments).toEqual(['-javaagent:/my workers/java/agent/a.jar', '-jar']);
  });

  test('PowerShell: the version is picked out of the setting', async () => {
    const { launch, traits } = await resolve('powershell', { settings: { FUNCTIONS_WORKER_RUNTIME_VERSION: '~7.4' } });
    expect(launch).toMatchObject({
      executable: 'dotnet',
      workerPath: '/my workers/powershell/7.4/PowerShellWorker.dll',
      environment: { FUNCTIONS_WORKER_RUNTIME_VERSION: '7.4', PSWorkerInProcConcurrencyUpperBound: '1000' },
    });
    expect(traits.ignoresTermination).toBe(true);
  });

  test('.NET isolated: the app brings its own file', async () => {
    const description = {
      language: 'dotnet-isolated',
      extensions: ['.dll'],
      defaultExecutablePath: 'dotnet',
      defaultWorkerPath: 'App.dll',
      workerIndexing: 'true',
      canUsePlaceholder: true,
    };
    const files = { '/app/worker.config.json': JSON.stringify({ description }), '/app/App.dll': '' };
    const { launch, traits } = await resolve('dotnet-isolated', { files });
    expect(launch).toMatchObject({ executable: 'dotnet', workerPath: '/app/App.dll', directory: '/app' });
    expect(traits).toMatchObject({ workerIndexing: true, canUsePlaceholder: true });
  });

  test('.NET isolated, self-contained: the program is in the app', async () => {
    const description = {
      language: 'dotnet-isolated',
      defaultExecutablePath: '{WorkerRoot}App',
      defaultWorkerPath: '%FUNCTIONS_WORKER_DIRECTORY%/App.dll',
    };
    const files = {
      '/app/worker.config.json': JSON.stringify({ description }),
      '/app/App': '',
      '/app/App.dll': '',
    };
    const { launch } = await resolve('dotnet-isolated', { files });
    expect(launch).toMatchObject({ executable: '/app/App', workerPath: '/app/App.dll' });
  });
});

describe('settings of an app', () => {
  test('override program, version and arguments, in either spelling', async () => {
    const settings = {
      languageWorkers__python__defaultExecutablePath: '%TOOLS%/python3',
      'languageWorkers:python:defaultRuntimeVersion': '3.11',
      LANGUAGEWORKERS__PYTHON__ARGUMENTS: '-X  importtime "-W once" %MORE%',
      TOOLS: '/tools',
    };
    const { launch } = await resolve('python', { settings, files: { '/tools/python3': '' } });
    expect(launch).toMatchObject({
      executable: '/tools/python3',
      arguments: ['-X', 'no_debug_ranges', '-X', 'importtime', '-W once'],
      workerPath: '/my workers/python/3.11/LINUX/X64/worker.py',
    });
  });

  test('a relative program starts from the app', async () => {
    const settings = { languageWorkers__node__defaultExecutablePath: './bin/node' };
    const { launch } = await resolve('node', { settings, files: { '/app/bin/node': '' } });
    expect(launch.executable).toBe('/app/bin/node');
  });

  test('a version for another language is not for this one', async () => {
    const settings = { FUNCTIONS_WORKER_RUNTIME: 'node', FUNCTIONS_WORKER_RUNTIME_VERSION: '22' };
    expect((await resolve('python', { settings })).runtimeVersion).toBe('3.12');
  });

  test('name the folder of one worker', async () => {
    const files = {
      '/app/tools/node/worker.config.json': JSON.stringify(official.node),
      '/app/tools/node/dist/src/nodejsWorker.js': '',
    };
    const settings = { languageWorkers__node__workerDirectory: 'tools/node' };
    expect((await resolve('node', { settings, files })).launch.workerPath).toBe(
      '/app/tools/node/dist/src/nodejsWorker.js',
    );
  });

  test('name the folder of all workers; what it lacks comes from the machine', async () => {
    const files = {
      '/elsewhere/node/worker.config.json': JSON.stringify(official.node),
      '/elsewhere/node/dist/src/nodejsWorker.js': '',
    };
    const settings = { languageWorkers__workersDirectory: '/elsewhere' };
    expect((await resolve('node', { settings, files })).file).toBe('/elsewhere/node/worker.config.json');
    expect((await resolve('python', { settings, files })).file).toBe('/my workers/python/worker.config.json');
  });

  test('what an app sets itself is kept', async () => {
    const settings = { PYTHON_THREADPOOL_THREAD_COUNT: '4', AzureWebJobsScriptRoot: '/home/site/wwwroot' };
    expect((await resolve('python', { settings })).launch.environment).toMatchObject(settings);
  });

  test.each([
    ['1', 1],
    ['0', 1],
    ['7', 7],
  ])('FUNCTIONS_WORKER_PROCESS_COUNT=%s makes %i processes', async (value, count) => {
    const { traits } = await resolve('node', { settings: { FUNCTIONS_WORKER_PROCESS_COUNT: value } });
    expect(traits.processCount).toBe(count);
  });

  test('a worker may want one process per processor', async () => {
    const config = { ...(official.node as object), processOptions: { setProcessCountToNumberOfCpuCores: true } };
    const files = { '/my workers/node/worker.config.json': JSON.stringify(config) };
    expect((await resolve('node', { files, machine: { processors: 32 } })).traits).toMatchObject({
      processCount: 32,
      maxProcessCount: 32,
    });
  });
});

describe('interpreters of the machine', () => {
  const python311 = { path: '/usr/bin/python3', version: '3.11.7' };

  test('a worker gets the version of the interpreter that fits it', async () => {
    const { launch, runtimeVersion } = await resolve('python', { interpreters: { python: [python311] } });
    expect(runtimeVersion).toBe('3.11');
    expect(launch).toMatchObject({
      executable: '/usr/bin/python3',
      workerPath: '/my workers/python/3.11/LINUX/X64/worker.py',
    });
  });

  test('the official Node.js worker gets a Node that it is known to run on', async () => {
    const node = [
      { path: '/opt/24/node', version: '24.1.0' },
      { path: '/opt/20/node', version: '20.1.0' },
    ];
    const { launch, notes } = await resolve('node', { interpreters: { node } });
    expect(launch.executable).toBe('/opt/20/node');
    expect(notes).toEqual([]);
  });

  test('or the newest, with a word about it', async () => {
    const node = [{ path: '/opt/24/node', version: '24.1.0' }];
    const { launch, notes } = await resolve('node', { interpreters: { node } });
    expect(launch.executable).toBe('/opt/24/node');
    expect(notes).toEqual([expect.stringContaining("'/opt/24/node' 24.1.0, on which nobody has tried it")]);
  });

  test('custom handlers: the worker runs on our own Node, and every line on stderr is an error', async () => {
    const text = await readFile(new URL('../../../worker-custom/worker.config.json', import.meta.url), 'utf8');
    const files = { '/my workers/custom/worker.config.json': text, '/my workers/custom/dist/worker.mjs': '' };
    const node = [
      { path: '/opt/20/node', version: '20.1.0' },
      { path: '/opt/24/node', version: '24.1.0' },
    ];
    const { launch, traits } = await resolve('custom', { files, interpreters: { node } });
    expect(launch).toMatchObject({ executable: '/opt/24/node', workerPath: '/my workers/custom/dist/worker.mjs' });
    expect(traits).toMatchObject({ workerIndexing: true, stderrIsError: true, initializationTimeoutMs: 30_000 });
  });

  test('a program that is not the language itself is left alone', async () => {
    const interpreters = { dotnet: [{ path: '/dotnet/dotnet', version: '8.0.1' }] };
    const settings = { FUNCTIONS_WORKER_RUNTIME_VERSION: '7.4' };
    expect((await resolve('powershell', { interpreters, settings })).launch.executable).toBe('dotnet');
  });
});

describe('what cannot be resolved says why, where, and what to do', () => {
  const java = { JAVA_HOME: '/opt/java' };
  test.each<[string, string, Situation, string, readonly string[]]>([
    [
      'an unknown language',
      'cobol',
      {},
      'WORKER_LANGUAGE_UNKNOWN',
      ["'cobol'", 'java, node, off, powershell, python', 'languageWorkers__cobol__workerDirectory'],
    ],
    ['a disabled one', 'off', {}, 'WORKER_LANGUAGE_DISABLED', ['/my workers/off/worker.config.json']],
    ['one with a broken file', 'broken', {}, 'WORKER_CONFIG_INVALID', ["'description'", '/my workers/broken/']],
    [
      'a folder without a worker',
      'node',
      { settings: { languageWorkers__node__workerDirectory: '/empty' } },
      'WORKER_DIRECTORY_MISSING',
      ["'/empty'", 'languageWorkers__node__workerDirectory', 'it has no worker.config.json'],
    ],
    [
      'a folder with the worker of another language',
      'node',
      { settings: { languageWorkers__node__workerDirectory: '/my workers/java' } },
      'WORKER_DIRECTORY_MISSING',
      ["its worker.config.json is for 'java', not for 'node'"],
    ],
    [
      'a folder of workers that is not there',
      'node',
      { settings: { languageWorkers__workersDirectory: '/nowhere' } },
      'WORKER_DIRECTORY_MISSING',
      ["'/nowhere'", 'languageWorkers__workersDirectory'],
    ],
    [
      'a version that the worker does not support',
      'python',
      { settings: { FUNCTIONS_WORKER_RUNTIME_VERSION: '3.6' } },
      'WORKER_VERSION_UNSUPPORTED',
      ["version '3.6'", 'FUNCTIONS_WORKER_RUNTIME_VERSION', "'supportedRuntimeVersions' in", '3.11, 3.12'],
    ],
    [
      'a default version that the worker does not support',
      'python',
      { settings: { languageWorkers__python__defaultRuntimeVersion: '2.7' } },
      'WORKER_VERSION_UNSUPPORTED',
      ["version '2.7'", 'languageWorkers__python__defaultRuntimeVersion'],
    ],
    [
      'a version that is none',
      'powershell',
      { settings: { FUNCTIONS_WORKER_RUNTIME_VERSION: 'seven' } },
      'WORKER_VERSION_UNSUPPORTED',
      ["'seven'", 'what matches \\d+\\.?\\d*'],
    ],
    ['no version', 'powershell', {}, 'WORKER_VERSION_MISSING', ['7, 7.2, 7.4', 'FUNCTIONS_WORKER_RUNTIME_VERSION']],
    [
      'an interpreter of another version',
      'node',
      {
        settings: { FUNCTIONS_WORKER_RUNTIME_VERSION: '20' },
        interpreters: { node: [{ path: '/n', version: '24.0.0' }] },
      },
      'WORKER_INTERPRETER_MISSING',
      ['needs version 20', 'only 24.0.0', 'languageWorkers__node__defaultExecutablePath'],
    ],
    [
      'no interpreter at all',
      'python',
      { interpreters: { python: [] } },
      'WORKER_INTERPRETER_MISSING',
      ['needs version 3.12 or 3.11', 'there is none'],
    ],
    [
      'another architecture',
      'python',
      { machine: { architecture: 'Arm' } },
      'WORKER_PLATFORM_UNSUPPORTED',
      ['does not run on Arm', "'supportedArchitectures'", 'X64, Arm64'],
    ],
    [
      'a worker that is not installed',
      'powershell',
      { settings: { FUNCTIONS_WORKER_RUNTIME_VERSION: '7.2' } },
      'WORKER_FILE_MISSING',
      ["'/my workers/powershell/7.2/PowerShellWorker.dll'", "'defaultWorkerPath'"],
    ],
    [
      'a variable that is not set',
      'java',
      {},
      'WORKER_FILE_MISSING',
      ["'/bin/java'", "'%JAVA_HOME%/bin/java'", 'The variable JAVA_HOME is not set.'],
    ],
    [
      'a program that is not there',
      'java',
      { settings: { ...java, languageWorkers__java__defaultExecutablePath: '/opt/none' } },
      'WORKER_FILE_MISSING',
      ["'/opt/none'", "the app's settings"],
    ],
    [
      'too many processes',
      'java',
      { settings: { ...java, FUNCTIONS_WORKER_PROCESS_COUNT: '11' } },
      'WORKER_SETTING_INVALID',
      ["'FUNCTIONS_WORKER_PROCESS_COUNT' is '11'", 'from 1 to 10'],
    ],
    [
      'a count that is none',
      'java',
      { settings: { ...java, FUNCTIONS_WORKER_PROCESS_COUNT: 'many' } },
      'WORKER_SETTING_INVALID',
      ["'many'"],
    ],
  ])('%s', async (_name, language, situation, code, parts) => {
    const error = await failure(language, situation);
    expect(error.code).toBe(code);
    for (const part of parts) expect(error.message).toContain(part);
  });

  test('whatever the settings hold, the answer is a worker or an error of the catalogue', async () => {
    const name = fc.constantFrom(
      'languageWorkers__workersDirectory',
      'languageWorkers__python__workerDirectory',
      'languageWorkers:python:arguments',
      'languageWorkers__python__defaultExecutablePath',
      'FUNCTIONS_WORKER_RUNTIME_VERSION',
      'FUNCTIONS_WORKER_PROCESS_COUNT',
      '__proto__',
    );
    const settings = fc.dictionary(fc.oneof(name, fc.string()), fc.string());
    await fc.assert(
      fc.asyncProperty(settings, fc.constantFrom('python', 'node', '__proto__', ''), async (values, language) => {
        const outcome = await resolve(language, { settings: values }).catch((thrown: unknown) => thrown);
        expect(isPlatformError(outcome) || (outcome as ResolvedWorker).language === language).toBe(true);
      }),
    );
  });
});
