import { cliErrors } from '../errors.ts';
import type { Language, Model } from './choices.ts';
import type { TemplateFile } from './write-files.ts';

/** What an app is made from. */
export interface AppTemplateOptions {
  readonly name: string;
  readonly language: Language;
  readonly model: Model;
  /** The command behind `npm start`. */
  readonly start: string;
  /** Names the bundle that brings triggers other than HTTP and timer when the app runs in Azure. */
  readonly withBundle: boolean;
}

/** The folder of the functions of a v4 app. */
export const functionsFolder = 'src/functions';

/** Versions that the templates are made for. */
const versions = { functions: '^4.5.0', typescript: '^5.9.0', nodeTypes: '^22.0.0' } as const;

const extensionBundle = { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' } as const;

/** The longest name that npm takes. */
const maxNameLength = 214;

/** The files of an app without functions. */
export function appTemplate(options: AppTemplateOptions): readonly TemplateFile[] {
  const isTypeScript = options.language === 'typescript';
  return [
    { path: 'package.json', text: toText(manifest(options)) },
    { path: 'host.json', text: toText({ version: '2.0', ...(options.withBundle ? { extensionBundle } : {}) }) },
    { path: 'local.settings.json', text: toText(localSettings) },
    { path: '.funcignore', text: lines([...ignoredByGit, ...notDeployed, ...(isTypeScript ? sources : [])]) },
    { path: '.gitignore', text: lines(['node_modules/', ...(isTypeScript ? ['dist/'] : []), ...ignoredByGit]) },
    ...(isTypeScript ? [{ path: 'tsconfig.json', text: toText(compilerOptions) }] : []),
  ];
}

/** The name of an app in a folder: what npm takes of the folder's name. */
export function appNameOf(folderName: string): string {
  const name = folderName
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, maxNameLength);
  return name === '' ? 'function-app' : name;
}

/** Throws APP_NAME_INVALID. */
export function checkAppName(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name) && name.length <= maxNameLength) return;
  throw cliErrors.create('APP_NAME_INVALID', { name: name.slice(0, 80), maximum: maxNameLength });
}

function manifest({ name, language, model, start }: AppTemplateOptions): object {
  const head = { name, version: '1.0.0', private: true };
  if (model === 'v3') return { ...head, scripts: { start } };
  const dependencies = { '@azure/functions': versions.functions };
  if (language === 'javascript') return { ...head, main: `${functionsFolder}/*.js`, scripts: { start }, dependencies };
  return {
    ...head,
    main: `dist/${functionsFolder}/*.js`,
    scripts: { build: 'tsc', watch: 'tsc --watch', prestart: 'npm run build', start },
    dependencies,
    devDependencies: { '@types/node': versions.nodeTypes, typescript: versions.typescript },
  };
}

/** The storage is filled in by the first function that needs it. */
const localSettings = { IsEncrypted: false, Values: { FUNCTIONS_WORKER_RUNTIME: 'node', AzureWebJobsStorage: '' } };

const compilerOptions = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    rootDir: '.',
    outDir: 'dist',
    sourceMap: true,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  },
  include: ['src'],
};

const ignoredByGit = ['local.settings.json', '.switchyard/', '__azurite*', '__blobstorage__/', '__queuestorage__/'];
const notDeployed = ['.git*', '.vscode/', '.funcignore', 'test/'];
const sources = ['*.ts', '*.js.map', 'tsconfig.json'];

function toText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
