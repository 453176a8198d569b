/** Apps that a test writes and changes while they run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const installed = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Files by their paths; a value that is no text is written as JSON. */
export type Files = Readonly<Record<string, unknown>>;

export interface AppFolder {
  readonly path: string;
  write(files: Files): Promise<void>;
  remove(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes a folder with an app that finds the packages of this repository. */
export async function openAppFolder(files: Files): Promise<AppFolder> {
  const root = await mkdtemp(join(tmpdir(), 'switchyard-reload-'));
  const path = join(root, 'shop');
  await mkdir(path);
  await symlink(installed, join(path, 'node_modules'), 'junction');
  // All of it at once, as an editor saves: whoever watches sees no file that is empty still, and no half of the files.
  const write = async (given: Files): Promise<void> => {
    for (const [file, content] of Object.entries(given)) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      const text = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2);
      writeFileSync(join(path, file), text);
    }
  };
  await write({
    'host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
    'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
    'package.json': { name: 'shop', type: 'module', main: 'src/*.js' },
    ...files,
  });
  return {
    path,
    write,
    remove: (file) => rm(join(path, file), { recursive: true }),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** The code of an HTTP function that answers with a text. */
export function httpFunction(name: string, body: string): string {
  return `import { app } from '@azure/functions';

app.http('${name}', { route: '${name}', authLevel: 'anonymous', handler: async (request) => ({ body: ${body} }) });
`;
}
