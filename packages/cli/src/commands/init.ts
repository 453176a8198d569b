import { resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { choose, type Language, languages, models } from '../scaffold/choices.ts';
import { describeInit } from '../scaffold/describe.ts';
import { initApp } from '../scaffold/init-app.ts';

/** How `switchyard` spells what comes next. */
export const switchyardWording = { add: 'switchyard new', start: 'switchyard dev' } as const;

export const initCommand = defineCommand({
  name: 'init',
  summary: 'Makes a function app in TypeScript or JavaScript. Never overwrites a file.',
  positional: { name: 'folder', summary: "the app's folder; the current one when left out", maximum: 1 },
  flags: {
    language: { kind: 'text', placeholder: 'LANGUAGE', short: 'l', summary: 'typescript or javascript (typescript)' },
    model: { kind: 'text', placeholder: 'MODEL', short: 'm', summary: 'v4, or v3 for function.json files (v4)' },
    name: { kind: 'text', placeholder: 'NAME', short: 'n', summary: "the name in package.json (the folder's)" },
  },
  examples: ['switchyard init shop', 'switchyard init shop --language javascript'],
  async run({ positionals: [folder = '.'], flags }, { stdout, workingDirectory }) {
    const model = choose('programming model', flags.model ?? 'v4', models);
    const offered = model === 'v3' ? { javascript: languages.javascript } : languages;
    const fallback = model === 'v3' ? 'javascript' : 'typescript';
    const language = choose<Language>('language', flags.language ?? fallback, offered);
    const directory = resolve(workingDirectory, folder);
    const { start } = switchyardWording;
    const template = { directory, language, model, name: flags.name, start, withBundle: true } as const;
    const result = await initApp({ ...template, existing: 'refuse' });
    const story = { ...result, directory, workingDirectory, language, needsPackages: model === 'v4' };
    stdout.write(describeInit(story, switchyardWording));
    return exitCodes.done.code;
  },
});
