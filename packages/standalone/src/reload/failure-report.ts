import { pathToFileURL } from 'node:url';

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

const wordsPattern = /\(line (\d+), column (\d+)\)/;

/** The first place in the text that lies in the app's own files; the first of those files when no line is named. */
export function findPlace(text: string, directory: string): string | undefined {
  const places = [...text.matchAll(ownFilePattern(directory))].flatMap((match) => {
    const [, path = '', line = match[4], column] = match;
    const file = decode(path).replaceAll('\\', '/');
    return file.split('/').includes('node_modules') ? [] : [{ file, line, column }];
  });
  const place = places.find(({ line }) => line !== undefined);
  if (place !== undefined) return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
  const words = wordsPattern.exec(text);
  const file = places[0]?.file.split(/[\s()]/, 1)[0]?.replace(/[.,;]+$/, '');
  return file === undefined || words === null ? file : `${file}:${words[1]}:${words[2]}`;
}

/**
 * Files below the app's folder, however the folder is written (paths hold blanks, URLs escape them): with a place as in
 * stacks of JavaScript, `/app/a.js:3:9`, or of Python, `"/app/a.py", line 3`, or with none.
 */
function ownFilePattern(directory: string): RegExp {
  const spellings = [directory, pathToFileURL(directory).pathname, encodeURI(directory)];
  const folder = [...new Set(spellings)].map((spelling) => spelling.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return new RegExp(
    `(?<![\\w\\\\/])(?:file://)?(?:${folder})[\\\\/]+([^:"'\\n]+)(?::(\\d+)(?::(\\d+))?|", line (\\d+))?`,
    'g',
  );
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
