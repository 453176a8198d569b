/** Flags of `func start` that are settings of the app, for as long as it runs. */
import { choose } from '../scaffold/choices.ts';
import { type FuncInput, isOn, languageSwitches, textOf } from './func-verb.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Levels of host.json, as `--user-log-level` takes them. */
const userLogLevels = {
  Trace: ['trace'],
  Debug: ['debug'],
  Information: ['information'],
  Warning: ['warning'],
  Error: ['error'],
  Critical: ['critical'],
  None: ['none'],
} as const;

/** What functions log, and what they print. */
const userCategories = ['Function', 'Host.Function.Console'] as const;

/** Languages whose workers take arguments of the user. */
const languagesWithArguments = ['node', 'python', 'java', 'powershell'] as const;

/** The environment of the app and its host, with what the flags add to it. Throws CHOICE_UNKNOWN. */
export function startEnvironment(input: FuncInput, environment: Environment): Environment {
  return {
    // Apps look at this one to know that they run on a developer's machine.
    FUNCTIONS_CORETOOLS_ENVIRONMENT: 'True',
    ...workerArguments(textOf(input, 'language-worker')),
    ...environment,
    ...onlyFunctions(input),
    ...logLevels(textOf(input, 'user-log-level')),
    ...workerRuntime(input),
  };
}

/** As in the official tools, arguments that the environment has already stay. */
function workerArguments(text: string | undefined): Environment {
  if (text === undefined) return {};
  return Object.fromEntries(languagesWithArguments.map((name) => [`languageWorkers__${name}__arguments`, text]));
}

function onlyFunctions({ given }: FuncInput): Environment {
  const names = given.get('functions');
  if (!Array.isArray(names)) return {};
  return Object.fromEntries(names.map((name, index) => [`AzureFunctionsJobHost__functions__${index}`, String(name)]));
}

function logLevels(text: string | undefined): Environment {
  if (text === undefined) return {};
  const level = choose('log level', text, userLogLevels);
  return Object.fromEntries(userCategories.map((name) => [`AzureFunctionsJobHost__logging__logLevel__${name}`, level]));
}

function workerRuntime(input: FuncInput): Environment {
  const named = Object.entries(languageSwitches).find(([name]) => isOn(input, name));
  return named === undefined ? {} : { FUNCTIONS_WORKER_RUNTIME: named[1] };
}
