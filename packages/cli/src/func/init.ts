import { resolve } from 'node:path';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose, type Language, languages, models } from '../scaffold/choices.ts';
import { describeInit } from '../scaffold/describe.ts';
import { readExistingApp } from '../scaffold/existing-app.ts';
import { initApp } from '../scaffold/init-app.ts';
import {
  commonFlags,
  type FuncInput,
  type FuncVerb,
  isOn,
  languageFlags,
  languageSwitches,
  textOf,
} from './func-verb.ts';

/** How `func` spells what comes next. */
export const funcWording = { add: 'func new --template', start: 'func start' } as const;

/** Makes an app; as with the official tools, files that are there already stay. */
export const initVerb: FuncVerb = {
  names: ['init'],
  summary: 'Makes a function app. Files that are there already stay as they are.',
  positionals: [{ name: 'folder', summary: "the app's folder; the current one when left out" }],
  flags: {
    'worker-runtime': {
      takes: 'value',
      placeholder: 'RUNTIME',
      summary: 'node, or a language: typescript, javascript',
    },
    language: { short: 'l', takes: 'value', placeholder: 'LANGUAGE', summary: 'typescript or javascript' },
    model: { short: 'm', takes: 'value', placeholder: 'MODEL', summary: 'v4, or v3 for function.json files (v4)' },
    'no-bundle': { takes: 'nothing', summary: 'leaves the extension bundle out of host.json' },
    'skip-npm-install': { takes: 'nothing', summary: 'installs no packages, which is so anyway' },
    force: { takes: 'nothing', summary: 'works in a folder that is not empty, which is so anyway' },
    ...commonFlags,
    ...languageFlags(),
    'source-control': { takes: 'nothing', ignored: true, summary: 'makes a git repository' },
    docker: { takes: 'nothing', ignored: true, summary: 'writes a Dockerfile' },
    'docker-only': { takes: 'nothing', ignored: true, summary: 'writes nothing but a Dockerfile' },
    'bundles-channel': { short: 'c', takes: 'value', ignored: true, summary: 'chooses a bundle' },
    'configuration-profile': { takes: 'value', ignored: true, summary: 'chooses a host profile' },
    csx: { takes: 'nothing', ignored: true, summary: 'concerns C#' },
    'target-framework': { takes: 'value', ignored: true, summary: 'concerns C#' },
    'managed-dependencies': { takes: 'nothing', ignored: true, summary: 'concerns PowerShell' },
    'no-docs': { takes: 'nothing', ignored: true, summary: 'concerns Python' },
    'skip-go-mod-tidy': { takes: 'nothing', ignored: true, summary: 'concerns Go' },
  },
  async run(input, { stdout, workingDirectory }) {
    const model = choose('programming model', textOf(input, 'model') ?? 'v4', models);
    const root = textOf(input, 'script-root') ?? textOf(input, 'prefix') ?? '.';
    const directory = resolve(workingDirectory, root, input.positionals[0] ?? '.');
    const present = await readExistingApp(directory).catch(() => undefined);
    const language = languageOf(input, model === 'v3' ? 'javascript' : undefined, present?.language ?? 'typescript');
    const template = { directory, language, model, name: undefined, start: funcWording.start } as const;
    const result = await initApp({ ...template, withBundle: !isOn(input, 'no-bundle'), existing: 'keep' });
    const story = { ...result, directory, workingDirectory, language, needsPackages: model === 'v4' };
    stdout.write(describeInit(story, funcWording));
    return exitCodes.done.code;
  },
};

/** The language that the flags mean, or that an app which is there already has. Throws CHOICE_UNKNOWN or RUNTIME_WITHOUT_TEMPLATES. */
function languageOf(input: FuncInput, only: Language | undefined, fallback: Language): Language {
  const switched = Object.keys(languageSwitches).find((name) => isOn(input, name));
  const runtime = (textOf(input, 'worker-runtime') ?? switched ?? '').toLowerCase();
  const text = textOf(input, 'language') ?? (runtime === 'node' ? 'javascript' : runtime);
  const runtimes = ['', 'node', ...Object.values(languages).flat()];
  if (!runtimes.includes(runtime))
    throw cliErrors.create('RUNTIME_WITHOUT_TEMPLATES', { runtime: runtime.slice(0, 80) });
  const offered = only === undefined ? languages : { [only]: languages[only] };
  return choose<Language>('language', text === '' ? (only ?? fallback) : text, offered);
}
