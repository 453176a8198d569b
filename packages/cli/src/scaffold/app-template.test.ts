import { describe, expect, it } from 'vitest';
import { type AppTemplateOptions, appNameOf, appTemplate, checkAppName } from './app-template.ts';

const options: AppTemplateOptions = {
  name: 'shop',
  language: 'typescript',
  model: 'v4',
  start: 'switchyard dev',
  withBundle: true,
};

function filesOf(overrides: Partial<AppTemplateOptions> = {}): Record<string, string> {
  return Object.fromEntries(appTemplate({ ...options, ...overrides }).map(({ path, text }) => [path, text]));
}

function json(files: Record<string, string>, path: string) {
  return JSON.parse(files[path] ?? '');
}

describe('appTemplate', () => {
  it('builds TypeScript into the folder that main names', () => {
    const files = filesOf();
    expect(Object.keys(files)).toEqual([
      'package.json',
      'host.json',
      'local.settings.json',
      '.funcignore',
      '.gitignore',
      'tsconfig.json',
    ]);
    expect(json(files, 'package.json')).toMatchObject({
      name: 'shop',
      main: 'dist/src/functions/*.js',
      scripts: { build: 'tsc', start: 'switchyard dev' },
    });
    expect(json(files, 'tsconfig.json').compilerOptions).toMatchObject({ rootDir: '.', outDir: 'dist', strict: true });
    expect(files['.funcignore']).toContain('*.ts\n');
    expect(files['.gitignore']).toContain('dist/\n');
  });

  it('needs no build in JavaScript', () => {
    const files = filesOf({ language: 'javascript' });
    expect(files['tsconfig.json']).toBeUndefined();
    expect(json(files, 'package.json')).toMatchObject({
      main: 'src/functions/*.js',
      scripts: { start: 'switchyard dev' },
    });
    expect(json(files, 'package.json').devDependencies).toBeUndefined();
  });

  it('has neither library nor entry file in the v3 model', () => {
    const manifest = json(filesOf({ language: 'javascript', model: 'v3' }), 'package.json');
    expect(manifest.main).toBeUndefined();
    expect(manifest.dependencies).toBeUndefined();
  });

  it('names the extension bundle unless told not to', () => {
    expect(json(filesOf(), 'host.json').extensionBundle.id).toContain('ExtensionBundle');
    expect(json(filesOf({ withBundle: false }), 'host.json')).toEqual({ version: '2.0' });
  });

  it('keeps secrets out of version control and deployments', () => {
    const files = filesOf();
    for (const path of ['.gitignore', '.funcignore']) expect(files[path]).toContain('local.settings.json\n');
  });
});

describe('appNameOf', () => {
  it.each([
    ['shop', 'shop'],
    ['My Shop', 'my-shop'],
    ['.hidden', 'hidden'],
    ['Ünïcode', 'n-code'],
    ['---', 'function-app'],
    ['', 'function-app'],
    ['a'.repeat(300), 'a'.repeat(214)],
  ])('makes a name of %j', (folder, name) => {
    expect(appNameOf(folder)).toBe(name);
    expect(() => checkAppName(name)).not.toThrow();
  });

  it.each(['Shop', '../shop', '', '-shop', 'a'.repeat(215)])('refuses %j', (name) => {
    expect(() => checkAppName(name)).toThrow('is no name for an app');
  });
});
