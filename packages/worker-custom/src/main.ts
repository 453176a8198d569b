/** The program of the worker: reads the command line, connects to the host, and serves it until one of them ends. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createRpcChannel, parseWorkerArguments, type WorkerArguments, WorkerSession } from '@switchyard/protocol';
import { CustomApp } from './custom-app.ts';
import { createNodeClient } from './handler/node-client.ts';
import { createNodeNetwork } from './handler/node-network.ts';
import { createNodeProcesses } from './handler/node-processes.ts';
import { defaultCustomWorkerLimits as limits } from './limits.ts';

function run({ endpoint, workerId, requestId }: WorkerArguments): void {
  const clock = systemClock;
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
    { workerId, environment: definedVariables(process.env) },
  );
  const channel = createRpcChannel({ clock }, { endpoint });
  const session = new WorkerSession({ link: channel.eventStream(), clock }, app);
  const leave = async (exitCode: number, complaint: string): Promise<void> => {
    if (complaint !== '') process.stderr.write(`${complaint}\n`);
    await Promise.all([app.terminate(limits.terminationGraceMs), session.close()]);
    process.exit(exitCode);
  };
  process.once('SIGTERM', () => void leave(0, ''));
  process.once('SIGINT', () => void leave(0, ''));
  void session.ended.then((end) => leave('reason' in end ? 1 : 0, 'reason' in end ? end.reason : ''));
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
