/** The program of the worker: reads the command line, connects to the host, and serves it until one of them ends. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { createDeferred, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createRpcChannel,
  parseWorkerArguments,
  takeWorkerKey,
  type WorkerArguments,
  WorkerSession,
} from '@switchyard/protocol';
import { CustomApp } from './custom-app.ts';
import { createNodeClient } from './handler/node-client.ts';
import { createNodeNetwork } from './handler/node-network.ts';
import { createNodeProcesses } from './handler/node-processes.ts';
import { defaultCustomWorkerLimits as limits } from './limits.ts';

function run({ endpoint, workerId, requestId }: WorkerArguments): void {
  const clock = systemClock;
  const metadata = takeWorkerKey(process.env);
  const app: CustomApp = new CustomApp(
    {
      clock,
      random: systemRandom,
      processes: createNodeProcesses(spawn),
      network: createNodeNetwork({ connect, createServer }),
      client: createNodeClient(request, { replyBytes: limits.replyBytes, connections: limits.invocationsInFlight }),
      limits,
      files: {
        readText: async (path) => (existsSync(path) ? readFile(path, 'utf8') : undefined),
        hasFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
      },
      log: (line) => session.log(line),
      onFailure: (error) => session.fail(error.message),
    },
    { workerId, hostUri: `${endpoint}/`, environment: definedVariables(process.env) },
  );
  const channel = createRpcChannel({ clock }, { endpoint });
  const session = new WorkerSession({ link: channel.eventStream({ metadata }), clock }, app);
  // Of several reasons to leave the first one counts.
  const leaving = createDeferred<{ readonly exitCode: number; readonly complaint: string }>();
  void leaving.promise.then(async ({ exitCode, complaint }) => {
    if (complaint !== '') process.stderr.write(`${complaint}\n`);
    await app.terminate(limits.terminationGraceMs);
    // What the app answered in this turn still goes out.
    await new Promise((resolve) => setImmediate(resolve));
    await session.close();
    process.exit(exitCode);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => leaving.resolve({ exitCode: 0, complaint: '' }));
  }
  void session.ended.then((end) => {
    const complaint = 'reason' in end ? end.reason : '';
    leaving.resolve({ exitCode: complaint === '' ? 0 : 1, complaint });
  });
  session.start(workerId, requestId);
}

function definedVariables(variables: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const outcome = parseWorkerArguments(process.argv.slice(2));
if (outcome.kind === 'parsed') run(outcome.arguments);
else {
  const problem =
    outcome.kind === 'missing'
      ? `The worker was started without ${outcome.names.join(' and ')}. A Functions host passes them on the command line.`
      : `${outcome.name} is '${outcome.value}', which is not ${outcome.expected}. Correct the command line.`;
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
