import { isAbsolute, relative, sep } from 'node:path';

/** Why a version of an app does not run, as people read it. */
export interface FailureReport {
  /** `file:line` or `file:line:column`, relative to the app's folder, where the text names one. */
  readonly place: string | undefined;
  /** One or several lines. */
  readonly text: string;
}

/** As much as fits on a screen. */
const maxLines = 30;

/** Frames of the language, the worker and installed packages: they say nothing of what the user wrote. */
const foreignFrame = /\(?node:|node_modules[\\/]|worker-node[\\/]|^\s+at (?:new )?Promise\b|<anonymous>\)?$/;

/** How the Runtime's messages announce what the worker printed. */
const quoteMark = / Its last output was:(?=\n|$)/g;

/** Makes the report: what is said twice is left out, and of the stack only the app's own frames stay. */
export function describeFailure(text: string, directory: string): FailureReport {
  const lines: string[] = [];
  for (const line of text.replace(quoteMark, '').split('\n')) {
    const isFrame = /^\s+at /.test(line);
    const said = line.trim().replace(/^\w*(?:Error|Exception): /, '');
    if ((isFrame && foreignFrame.test(line)) || lines.some((earlier) => earlier.includes(said))) continue;
    lines.push(line.trimEnd());
  }
  const isCut = lines.length > maxLines;
  const shown = isCut ? [...lines.slice(0, maxLines), `... and ${lines.length - maxLines} more lines`] : lines;
  return { place: findPlace(text, directory), text: shown.join('\n') };
}

/** A place in a stack of JavaScript, `file:///app/a.js:3:9` or `/app/a.js:3`, or in one of Python. */
const placePattern =
  /(?:file:\/\/(?:\/(?=[A-Za-z]:))?)?((?:[A-Za-z]:)?[\\/][^\s:()"']+):(\d+)(?::(\d+))?|File "([^"]+)", line (\d+)/g;

/** A file that a message names, and the place in it that some messages give in words. */
const filePattern = /(?:[A-Za-z]:)?[\\/][^\s:()"']+/g;
const wordsPattern = /\(line (\d+), column (\d+)\)/;

/** The first place in the text that lies in the app's own files; the first of those files when no line is named. */
export function findPlace(text: string, directory: string): string | undefined {
  for (const [, script, scriptLine, column, source, sourceLine] of text.matchAll(placePattern)) {
    const path = ownPath(script ?? source ?? '', directory);
    if (path === undefined) continue;
    return `${path}:${scriptLine ?? sourceLine}${column === undefined ? '' : `:${column}`}`;
  }
  const [file] = [...text.matchAll(filePattern)].flatMap(([path]) => ownPath(path, directory) ?? []);
  const words = wordsPattern.exec(text);
  return file === undefined || words === null ? file : `${file}:${words[1]}:${words[2]}`;
}

/** The path below the app's folder, with slashes; undefined when the file is not the app's own. */
function ownPath(file: string, directory: string): string | undefined {
  const path = relative(directory, decode(file));
  const parts = path.split(sep);
  if (path === '' || parts[0] === '..' || parts.includes('node_modules') || isAbsolute(path)) return undefined;
  return parts.join('/');
}

/** Paths in file URLs carry escapes. */
function decode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** Failures that differ in ids and times alone are the same. */
export function failureKey({ place, text }: FailureReport): string {
  return `${place}\n${text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/gi, 'id').replace(/\b\d+ ms\b/g, 'ms')}`;
}
