import { basename, join } from 'node:path';
import { type AppTemplateOptions, appNameOf, appTemplate, checkAppName, functionsFolder } from './app-template.ts';
import { makeFolder } from './make-folder.ts';
import { type WrittenFiles, writeFiles } from './write-files.ts';

export interface InitOptions extends Omit<AppTemplateOptions, 'name'> {
  /** The app's folder; made when it is missing. */
  readonly directory: string;
  /** Undefined: the folder's name. */
  readonly name: string | undefined;
  readonly existing: 'refuse' | 'keep';
}

export interface InitResult extends WrittenFiles {
  readonly name: string;
}

/** Makes an app without functions. Rejects with APP_NAME_INVALID, FILE_EXISTS or FOLDER_UNWRITABLE. */
export async function initApp({ directory, existing, ...options }: InitOptions): Promise<InitResult> {
  const name = options.name ?? appNameOf(basename(directory));
  checkAppName(name);
  const files = await writeFiles(directory, appTemplate({ ...options, name }), { existing, what: 'folder' });
  if (options.model === 'v4') await makeFolder(join(directory, functionsFolder));
  return { name, ...files };
}
