import { join } from 'node:path';
import type { SettingsView } from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';
import { exists } from './app-folder.ts';
import { createFunctionFiles } from './function-files.ts';

/** The language of an app, and how it was found out. */
export interface WorkerRuntime {
  readonly runtime: string;
  /** What to tell the user when no setting names it. */
  readonly note: string | undefined;
}

const settingName = 'FUNCTIONS_WORKER_RUNTIME';

/** A file of the app that gives its language away, in the order in which they are looked for. */
const fileHints: readonly (readonly [file: string, runtime: string])[] = [
  ['package.json', 'node'],
  ['function_app.py', 'python'],
  ['requirements.txt', 'python'],
  ['pom.xml', 'java'],
  ['profile.ps1', 'powershell'],
];

/** The language that a script's extension stands for. */
const scriptHints: Readonly<Record<string, string>> = {
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.py': 'python',
  '.ps1': 'powershell',
};

/** Finds the language: the setting, else what the files tell. Rejects with APP_RUNTIME_UNKNOWN when nothing tells. */
export async function findWorkerRuntime(
  directory: string,
  applicationId: string,
  settings: SettingsView,
): Promise<WorkerRuntime> {
  const configured = settings.get(settingName)?.trim();
  if (configured !== undefined && configured !== '') return { runtime: configured.toLowerCase(), note: undefined };
  const hint = await findHint(directory);
  if (hint === undefined) throw standaloneErrors.create('APP_RUNTIME_UNKNOWN', { applicationId, path: directory });
  const note = `${settingName} is not set; '${hint.runtime}' is assumed because of ${hint.file}.`;
  return { runtime: hint.runtime, note };
}

async function findHint(directory: string): Promise<{ readonly file: string; readonly runtime: string } | undefined> {
  const present = await Promise.all(fileHints.map(([file]) => exists(join(directory, file))));
  const [file, runtime] = fileHints[present.indexOf(true)] ?? [];
  if (file !== undefined && runtime !== undefined) return { file, runtime };
  for (const { name, files } of await createFunctionFiles(directory).list())
    for (const script of files) {
      const language = scriptHints[/\.\w+$/.exec(script)?.[0] ?? ''];
      if (language !== undefined) return { file: `${name}/${script}`, runtime: language };
    }
  return undefined;
}
