import { isAbsolute, join, resolve } from 'node:path';
import type { CustomHandlerSettings } from '@switchyard/model';
import { expandVariables, splitCommandWords } from '@switchyard/protocol';
import type { HandlerLaunch } from './ports.ts';

export interface HandlerPlace {
  /** The absolute path of the app's folder. */
  readonly scriptRoot: string;
  readonly workerId: string;
  /** Where the handler is to listen. */
  readonly port: number;
  /** Where the worker met its host: the services beside its stream (`Settlement`) are there, too. */
  readonly hostUri: string;
  /** The environment of the app. */
  readonly environment: Readonly<Record<string, string>>;
  /** True when a file is there. */
  readonly hasFile: (path: string) => boolean;
}

/**
 * The command line and environment of a handler, as in the official host, and FUNCTIONS_URI, by which other workers call what their
 * command line names. A program that lies in the app's folder is
 * meant before one of the same name in the system's path.
 */
export function toHandlerLaunch(settings: CustomHandlerSettings, place: HandlerPlace): HandlerLaunch {
  const { scriptRoot, environment, workerId, hasFile } = place;
  const port = String(place.port);
  const expand = (text: string): string =>
    expandVariables(text, (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined));
  const words = (texts: readonly string[]): string[] => texts.flatMap((text) => splitCommandWords(expand(text)));
  const program = expand(settings.defaultExecutablePath);
  const own = join(scriptRoot, program);
  const workerPath = expand(settings.defaultWorkerPath);
  return {
    executable: !isAbsolute(program) && hasFile(own) ? own : program,
    arguments: [
      ...words(settings.arguments),
      ...(workerPath === '' ? [] : [workerPath]),
      ...words(settings.workerArguments),
    ],
    directory: resolve(scriptRoot, expand(settings.workingDirectory)),
    environment: {
      ...environment,
      FUNCTIONS_CUSTOMHANDLER_PORT: port,
      FUNCTIONS_HTTPWORKER_PORT: port,
      FUNCTIONS_CUSTOMHANDLER_WORKER_ID: workerId,
      FUNCTIONS_HTTPWORKER_ID: workerId,
      FUNCTIONS_APP_ROOT_PATH: scriptRoot,
      FUNCTIONS_URI: place.hostUri,
    },
  };
}
