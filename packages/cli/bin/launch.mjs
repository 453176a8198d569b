/**
 * What every bin does: finds Node 24 and hands over to the built command line. Plain JavaScript that Node 20 understands,
 * because npm links a bin at install, before anything is built, and starts it with whatever `node` the machine has.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findNode24 } from './find-node.mjs';
import { runNode } from './run-node.mjs';

/** The exit code for "Switchyard itself is not in working order"; `switchyard help` lists all codes. */
const notReady = 1;

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs the program of the bundle that has this name; sets the exit code of this process when it ends or cannot start. */
export async function launch(name) {
  const program = join(packageRoot, 'dist', 'bundle', `${name}.mjs`);
  const node = findNode24(packageRoot);
  if (!existsSync(program)) {
    console.error(`Switchyard is not built yet: ${program} is missing. Run 'npm run build' in the repository.`);
    process.exitCode = notReady;
  } else if (node.kind === 'missing') {
    console.error(node.message);
    process.exitCode = notReady;
  } else if (node.path === process.execPath) {
    await import(pathToFileURL(program).href);
  } else {
    try {
      process.exitCode = await runNode(node.path, [program, ...process.argv.slice(2)]);
    } catch (error) {
      console.error(`${node.path} could not be started: ${error.message}. Run 'npm install' to repair it.`);
      process.exitCode = notReady;
    }
  }
}
