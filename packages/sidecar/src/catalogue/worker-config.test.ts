import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogueLimits } from './limits.ts';
import { defaultProcessOptions } from './process-options.ts';
import { parseWorkerConfig } from './worker-config.ts';

const file = '/workers/node/worker.config.json';
const minimal = { language: 'node', defaultExecutablePath: 'node' };

function parse(content: unknown): ReturnType<typeof parseWorkerConfig> {
  return parseWorkerConfig(JSON.stringify(content), file);
}

function failure(content: unknown): { code: string; message: string } {
  try {
    parseWorkerConfig(typeof content === 'string' ? content : JSON.stringify(content), file);
  } catch (thrown) {
    if (isPlatformError(thrown)) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
  throw new Error('it was accepted');
}

describe('parseWorkerConfig', () => {
  test('reads every key of a description', () => {
    const description = {
      language: 'Python',
      extensions: ['.py'],
      defaultExecutablePath: 'python',
      defaultWorkerPath: '%FUNCTIONS_WORKER_RUNTIME_VERSION%/{os}/{architecture}/worker.py',
      arguments: ['-X no_debug_ranges'],
      workerArguments: ['--flag'],
      workerDirectory: 'sub',
      executableWorkingDirectory: '{workerDirectoryPath}',
      defaultRuntimeVersion: '3.12',
      supportedRuntimeVersions: ['3.11', '3.12'],
      supportedOperatingSystems: ['LINUX'],
      supportedArchitectures: ['X64'],
      sanitizeRuntimeVersionRegex: '\\d+\\.\\d+',
      workerIndexing: 'true',
      canUsePlaceholder: true,
      isDisabled: 'False',
      useStdErrorStreamForErrorsOnly: true,
      presentsWorkerKey: true,
    };
    const { description: parsed, directory } = parse({ description });
    expect(parsed).toEqual({ ...description, language: 'python', workerIndexing: true, isDisabled: false });
    expect(directory).toBe('/workers/node');
  });

  test('what is left out, null or empty has its default', () => {
    const config = parse({
      description: { ...minimal, extensions: null, arguments: [], defaultRuntimeVersion: null, workerIndexing: '' },
    });
    expect(config).toEqual({
      file,
      directory: '/workers/node',
      description: {
        ...minimal,
        extensions: [],
        defaultWorkerPath: '',
        arguments: [],
        workerArguments: [],
        workerDirectory: '',
        executableWorkingDirectory: '',
        defaultRuntimeVersion: '',
        supportedRuntimeVersions: [],
        supportedOperatingSystems: [],
        supportedArchitectures: [],
        sanitizeRuntimeVersionRegex: '',
        workerIndexing: false,
        canUsePlaceholder: false,
        isDisabled: false,
        useStdErrorStreamForErrorsOnly: false,
        presentsWorkerKey: false,
      },
      processOptions: defaultProcessOptions,
      profiles: [],
    });
  });

  test('keys count in any case, and a byte order mark and comments are forgiven', () => {
    const text = `\uFEFF// for tests\n{ "Description": { "LANGUAGE": "Node", "DefaultExecutablePath": "node", } }`;
    expect(parseWorkerConfig(text, file).description).toMatchObject(minimal);
  });

  test('one argument may stand without a list', () => {
    expect(parse({ description: { ...minimal, arguments: '-a -b' } }).description.arguments).toEqual(['-a -b']);
  });

  test('reads process options, durations in milliseconds', () => {
    const processOptions = {
      processCount: '2',
      maxProcessCount: 20,
      processStartupInterval: '00:00:05',
      processStartupTimeout: '00:02:00',
      initializationTimeout: '00:05:00',
      environmentReloadTimeout: '00:00:00.5',
      processRestartInterval: '00:00:01',
      processShutdownTimeout: '00:01:00',
      setProcessCountToNumberOfCpuCores: true,
    };
    expect(parse({ description: minimal, processOptions }).processOptions).toEqual({
      processCount: 2,
      maxProcessCount: 20,
      processStartupIntervalMs: 5_000,
      processStartupTimeoutMs: 120_000,
      initializationTimeoutMs: 300_000,
      environmentReloadTimeoutMs: 500,
      processRestartIntervalMs: 1_000,
      processShutdownTimeoutMs: 60_000,
      setProcessCountToNumberOfCpuCores: true,
    });
  });

  test.each<[unknown, string, string]>([
    [{}, 'description', 'missing'],
    [{ description: [] }, 'description', '[]'],
    [{ description: { defaultExecutablePath: 'x' } }, 'description.language', 'missing'],
    [{ description: { ...minimal, language: '../evil' } }, 'description.language', '"../evil"'],
    [{ description: { ...minimal, language: 7 } }, 'description.language', '7'],
    [{ description: { language: 'node' } }, 'description.defaultExecutablePath', 'missing'],
    [{ description: { ...minimal, defaultWorkerPath: 'a\0b' } }, 'description.defaultWorkerPath', '"a\\u0000b"'],
    [{ description: { ...minimal, extensions: { js: 1 } } }, 'description.extensions', '{"js":1}'],
    [{ description: { ...minimal, arguments: ['-a', 1] } }, 'description.arguments[1]', '1'],
    [{ description: { ...minimal, workerIndexing: 'yes' } }, 'description.workerIndexing', '"yes"'],
    [
      { description: { ...minimal, sanitizeRuntimeVersionRegex: '(' } },
      'description.sanitizeRuntimeVersionRegex',
      '"("',
    ],
    [{ description: minimal, processOptions: 3 }, 'processOptions', '3'],
    [{ description: minimal, processOptions: { processCount: 0 } }, 'processOptions.processCount', '0'],
    [{ description: minimal, processOptions: { processCount: 11 } }, 'processOptions.processCount', '11'],
    [
      { description: minimal, processOptions: { initializationTimeout: '-00:00:01' } },
      'processOptions.initializationTimeout',
      '"-00:00:01"',
    ],
    [
      { description: minimal, processOptions: { processStartupInterval: 10 } },
      'processOptions.processStartupInterval',
      '10',
    ],
    [{ description: minimal, profiles: {} }, 'profiles', '{}'],
    [{ description: minimal, profiles: [1] }, 'profiles[0]', '1'],
    [{ description: minimal, profiles: [{ conditions: [null] }] }, 'profiles[0].conditions[0]', 'null'],
    [
      { description: minimal, profiles: [{ conditions: [], description: { arguments: 5 } }] },
      'profiles[0].description.arguments',
      '5',
    ],
  ])('%j: names the file, %s and its value %s', (content, key, value) => {
    const { code, message } = failure(content);
    expect(code).toBe('WORKER_CONFIG_INVALID');
    expect(message).toContain(`'${key}' in '${file}' is ${value}, but it must be `);
  });

  test.each([
    ['', 'ends where a value should stand'],
    ['[]', 'it holds no JSON object'],
    ['"text"', 'it holds no JSON object'],
    ['{"description":', 'line 1'],
    [`${' '.repeat(catalogueLimits.configLength)}{}`, 'it is longer than'],
  ])('%j is unreadable, and the file is named', (text, reason) => {
    const { code, message } = failure(text);
    expect(code).toBe('WORKER_CONFIG_UNREADABLE');
    expect(message).toContain(file);
    expect(message).toContain(reason);
  });

  test('keys of hostile files change nothing that they should not', () => {
    const text = `{"description":{"language":"node","defaultExecutablePath":"node","__proto__":{"isDisabled":true}},
      "__proto__":{"profiles":[1]},"constructor":1}`;
    expect(parseWorkerConfig(text, file).description).toMatchObject({ ...minimal, isDisabled: false });
    expect({}).not.toHaveProperty('isDisabled');
  });

  test('garbage is refused with an error that names the file, and never crashes', () => {
    const known = fc.constantFrom(
      'description',
      'Profiles',
      'processOptions',
      'language',
      'arguments',
      'conditions',
      'conditionExpression',
      'processCount',
      'initializationTimeout',
      '__proto__',
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(fc.string(), fc.integer(), fc.constantFrom(null, true, 'node', '00:00:01', '(a+)+$')),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(known, fc.string()), tie('node'), { maxKeys: 8 }),
      ),
    }));
    const garbage = fc.oneof(
      fc.string(),
      fc.json(),
      node.map((content) => JSON.stringify(content)),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        try {
          expect(parseWorkerConfig(text, file).description.language).not.toBe('');
        } catch (thrown) {
          expect(isPlatformError(thrown) && thrown.message).toContain(file);
        }
      }),
      { numRuns: 500 },
    );
  });
});
