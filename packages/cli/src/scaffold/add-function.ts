import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cliErrors } from '../errors.ts';
import { functionsFolder } from './app-template.ts';
import type { AuthLevel } from './choices.ts';
import { type ExistingApp, readExistingApp } from './existing-app.ts';
import type { FunctionTemplate, FunctionTemplateOptions } from './function-templates.ts';
import { type TemplateFile, writeFiles } from './write-files.ts';

export interface AddFunctionOptions {
  /** The app's folder. */
  readonly directory: string;
  readonly template: FunctionTemplate;
  readonly name: string | undefined;
  readonly authLevel: AuthLevel;
}

export interface AddFunctionResult {
  readonly name: string;
  readonly app: ExistingApp;
  /** What was written, relative to the app's folder. */
  readonly written: readonly string[];
  /** What else the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/** The name of a function in the official rules. */
const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,126}$/;

/** What stands for the storage of the machine's own emulator. */
const developmentStorage = 'UseDevelopmentStorage=true';

/**
 * Writes a function into an app, in its language and model. Rejects with NOT_AN_APP, FUNCTION_NAME_UNUSABLE, FILE_EXISTS,
 * TEMPLATE_WITHOUT_MODEL or FOLDER_UNWRITABLE.
 */
export async function addFunction(options: AddFunctionOptions): Promise<AddFunctionResult> {
  const { directory, template, authLevel } = options;
  const name = options.name ?? template.defaultName;
  if (!namePattern.test(name) || name.toLowerCase() === 'host')
    throw cliErrors.create('FUNCTION_NAME_UNUSABLE', { name: name.slice(0, 80) });
  const app = await readExistingApp(directory);
  const files = filesOf(app, template, { name, authLevel });
  const { written } = await writeFiles(directory, files, { existing: 'refuse', what: 'name with --name' });
  const storageNote = template.usesStorage ? await provideStorage(directory) : undefined;
  const notes = [storageNote, await settingNote(directory, template), entryNote(app, written[0] ?? '')].filter(
    (note) => note !== undefined,
  );
  return { name, app, written, notes };
}

function filesOf(app: ExistingApp, template: FunctionTemplate, options: FunctionTemplateOptions): TemplateFile[] {
  const { name } = options;
  if (app.model === 'v4') {
    const extension = app.language === 'typescript' ? 'ts' : 'js';
    const text = `${importLine(app)}\n\n${template.registration(options)}`;
    return [{ path: `${functionsFolder}/${name}.${extension}`, text }];
  }
  if (app.language === 'typescript') throw cliErrors.create('TEMPLATE_WITHOUT_MODEL', { path: app.directory, name });
  const configuration = `${JSON.stringify({ bindings: template.bindings(options) }, undefined, 2)}\n`;
  const script = app.modules === 'module' ? 'index.cjs' : 'index.js';
  return [
    { path: `${name}/function.json`, text: configuration },
    { path: `${name}/${script}`, text: template.script },
  ];
}

function importLine({ language, modules }: ExistingApp): string {
  return language === 'typescript' || modules === 'module'
    ? "import { app } from '@azure/functions';"
    : "const { app } = require('@azure/functions');";
}

/** A `main` that names single files does not load the new one. */
function entryNote({ model, main }: ExistingApp, file: string): string | undefined {
  if (model === 'v3' || main === undefined || /(^|[/{,])functions\/\*|\*\*/.test(main)) return undefined;
  return `"main" of package.json is '${main}', which may not load ${file}: import it there, or name the folder.`;
}

/** Fills the storage setting in where the app's template left it empty; anything else is the user's to change. */
async function provideStorage(directory: string): Promise<string | undefined> {
  const file = 'local.settings.json';
  const path = join(directory, file);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (/"AzureWebJobsStorage"\s*:\s*"[^"]/.test(text)) return undefined;
  const empty = /("AzureWebJobsStorage"\s*:\s*)""/;
  if (!empty.test(text)) return `Set AzureWebJobsStorage in ${file}, for example to ${developmentStorage}.`;
  await writeFile(path, text.replace(empty, `$1"${developmentStorage}"`));
  return `AzureWebJobsStorage in ${file} was empty and is ${developmentStorage} now.`;
}

/** What else the user must set, unless it is set already. */
async function settingNote(directory: string, { setting }: FunctionTemplate): Promise<string | undefined> {
  if (setting === undefined) return undefined;
  const file = 'local.settings.json';
  const text = await readFile(join(directory, file), 'utf8').catch(() => '');
  if (text.includes(`"${setting.name}"`)) return undefined;
  return `Set ${setting.name} in ${file}, for example to ${setting.example}.`;
}
