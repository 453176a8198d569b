/** Runs one load in a process of its own: `node http-load-process.ts '<options as JSON>'`, result as JSON on stdout. */
import { type LoadOptions, runLoad } from './http-load.ts';

const result = await runLoad(JSON.parse(process.argv[2] ?? '{}') as LoadOptions);
process.stdout.write(JSON.stringify(result));
