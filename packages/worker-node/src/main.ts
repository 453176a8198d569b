/**
 * The program of the worker: reads the command line, connects to the host, and serves it until one of them ends. It is
 * started by the launcher, which loads it in a way that can be cached.
 */
import { messageOf, systemClock, systemRandom } from '@switchyard/kernel';
import { createRpcChannel, takeWorkerKey } from '@switchyard/protocol';
import { createModuleLoader } from './app/module-loader.ts';
import { parseArguments, type WorkerArguments } from './arguments.ts';
import { enableCoreModuleImports, installCoreModule } from './core/core-module-hook.ts';
import { processEnvironment } from './environment.ts';
import { catchStrayErrors } from './invocation/stray-errors.ts';
import { workerLimits } from './limits.ts';
import { DefaultModel } from './model/default-model.ts';
import { loadV3Library } from './model/v3-library.ts';
import { createPatientClock } from './patient-clock.ts';
import { createWarmer } from './warm-up.ts';
import { Worker } from './worker.ts';

/** A host that is silent for so long is gone; loops that user code blocked are forgiven. */
const keepAlive = { intervalMs: 15_000, timeoutMs: 15_000 };

/** What one message may add to the buffer before the link counts as misused. */
const bufferHeadroomBytes = 64 * 1024 * 1024;

/** `importModule` is the real `import()`, which code that was compiled by the launcher does not have. */
export function main(importModule: (url: string) => Promise<unknown>): void {
  try {
    run(parseArguments(process.argv.slice(2)), importModule);
  } catch (thrown) {
    complain(messageOf(thrown));
    process.exitCode = 1;
  }
}

function run(options: WorkerArguments, importModule: (url: string) => Promise<unknown>): void {
  const { maxMessageBytes } = options;
  const clock = createPatientClock(systemClock);
  const limits = {
    maxMessageBytes,
    maxAssemblyBytes: maxMessageBytes,
    maxBufferedBytes: maxMessageBytes + bufferHeadroomBytes,
  };
  const channel = createRpcChannel(
    { clock },
    { endpoint: options.endpoint, limits, keepAlive, connectTimeoutMs: workerLimits.connectMs },
  );
  const defaultModel = new DefaultModel(loadV3Library);
  const worker = new Worker({
    link: channel.eventStream({ metadata: takeWorkerKey(process.env) }),
    clock,
    random: systemRandom,
    environment: processEnvironment,
    loader: createModuleLoader({ importModule, enableCoreModuleImports }),
    defaultModel,
    warmer: createWarmer(importModule),
    complain,
  });
  installCoreModule(worker.core);
  // The first reason to leave decides about the exit code: leaving ends the link, which is a reason, too.
  let state: 'serving' | 'leaving' = 'serving';
  const leave = (code: number, text: string): void => {
    if (state === 'serving') void exit(worker, code, text);
    state = 'leaving';
  };
  worker.scope.publishTrace(globalThis);
  catchStrayErrors(process, { scope: worker.scope, log: worker.log, crash: (text) => leave(1, text) });
  worker.start(options);
  void worker.ended.then((end) => {
    if (end.kind === 'connection-lost') leave(1, end.reason);
    else leave(0, '');
  });
}

async function exit(worker: Worker, code: number, text: string): Promise<void> {
  // A supervisor that sees the stream end may send it at once; exit handlers and Node's compile cache still have work.
  process.on('SIGTERM', () => {});
  if (text !== '') complain(text);
  await worker.close();
  process.exit(code);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
