/** Functions that a function.json describes. */
import path from 'node:path';
import { isPlatformError } from '@switchyard/kernel';
import { parseBindings } from './binding-metadata.ts';
import { modelErrors } from './errors.ts';
import type { FunctionMetadata } from './function-metadata.ts';
import { checkFunctionName, toFunctionId } from './function-name.ts';
import { describeValue, isJsonObject, type JsonObject, parseJsonText, readKey } from './json-text.ts';
import { parseRetryJson } from './retry-policy.ts';
import { findScriptFile, languageOf } from './script-file.ts';

/** What became of one function. A rejected one never harms the others. */
export type ParsedFunction =
  | { readonly kind: 'ok'; readonly function: FunctionMetadata }
  | { readonly kind: 'rejected'; readonly name: string; readonly reason: string };

/** A folder with a function.json. */
export interface FunctionJsonFile {
  /** The folder's name, which is the function's. */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly text: string;
  /** The names of the files in the folder. */
  readonly files: readonly string[];
}

export interface FunctionJsonOptions {
  /**
   * FUNCTIONS_WORKER_RUNTIME, when it is set: a script of another language is rejected, and with `custom` a function needs
   * no script.
   */
  readonly runtime?: string | undefined;
}

/** Parses one function.json with its folder. Never throws for what the file holds. */
export function parseFunctionJson(file: FunctionJsonFile, options: FunctionJsonOptions = {}): ParsedFunction {
  return settle(file.name, () => parse(file, options));
}

/** Runs a parser, and makes a rejection of the PlatformError that it throws. */
export function settle(name: string, parser: () => FunctionMetadata): ParsedFunction {
  try {
    return { kind: 'ok', function: parser() };
  } catch (thrown) {
    if (!isPlatformError(thrown)) throw thrown;
    return { kind: 'rejected', name, reason: thrown.message };
  }
}

function parse(file: FunctionJsonFile, options: FunctionJsonOptions): FunctionMetadata {
  const where = path.join(file.directory, 'function.json');
  checkFunctionName(file.name, where);
  const source = parseJsonText(file.text, where);
  if (!isJsonObject(source)) throw invalid(where, 'the file', describeValue(source), 'a JSON object');
  const raw = readKey(source, 'bindings') ?? [];
  if (!Array.isArray(raw)) throw invalid(where, 'bindings', describeValue(raw), 'a list');
  const { bindings, trigger } = parseBindings(raw, where);
  checkConfigurationSource(source, where);
  const retry = readKey(source, 'retry') ?? undefined;
  return {
    name: file.name,
    functionId: toFunctionId(file.name),
    directory: file.directory,
    ...parseScript(file, source, (options.runtime ?? '').toLowerCase(), where),
    entryPoint: readText(source, 'entryPoint', where) ?? '',
    bindings,
    trigger,
    properties: {},
    ...(retry === undefined ? {} : { retry: parseRetryJson(retry, where) }),
  };
}

function parseScript(
  file: FunctionJsonFile,
  source: JsonObject,
  runtime: string,
  where: string,
): Pick<FunctionMetadata, 'scriptFile' | 'language'> {
  const named = readText(source, 'scriptFile', where);
  // A custom handler is a program of its own: its functions have no script.
  if (runtime === 'custom' && (named ?? '') === '') return { scriptFile: '', language: 'custom' };
  const scriptFile = findScriptFile(file, named, where);
  return { scriptFile, language: languageOf(scriptFile, runtime, where) };
}

function checkConfigurationSource(source: JsonObject, where: string): void {
  const value = readText(source, 'configurationSource', where)?.toLowerCase();
  if (value === undefined || value === 'attributes' || value === 'config') return;
  throw invalid(where, 'configurationSource', `"${value}"`, 'attributes or config');
}

function readText(source: JsonObject, key: string, where: string): string | undefined {
  const value = readKey(source, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw invalid(where, key, describeValue(value), 'a text');
}

function invalid(where: string, key: string, value: string, expected: string): Error {
  return modelErrors.create('FUNCTION_JSON_INVALID', { where, key, value, expected });
}
