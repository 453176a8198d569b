import { isJsonObject } from '@switchyard/model';

/** Tools that write an app's output themselves, or change what the TypeScript compiler has written. */
const otherTools =
  /(?:^|[\s/])(?:esbuild|webpack|rollup|rolldown|tsup|tsdown|unbuild|vite|swc|ncc|parcel|babel|rspack|bun|tsc-alias|tspath|resolve-tspaths|nx|turbo|gulp|grunt)(?:\s|$)/;
const compiler = /(?:^|[\s/])tsc(?:\s|$)/;
const otherScript = /(?:^|\s)(?:npm|pnpm|yarn)\s+(?:run\s+)?([\w:.-]+)/;

/** Scripts that call scripts are followed so far. */
const maxDepth = 4;

/**
 * The command with which an app is built that wants more than the TypeScript compiler, such as a bundler; undefined where
 * the compiler alone does it. Told by the scripts of package.json, which are never run.
 */
export function ownBuildOf(scripts: unknown): string | undefined {
  const named = isJsonObject(scripts) ? scripts : {};
  if (typeof named.build !== 'string') return undefined;
  const commands = commandsOf(named, 'build', maxDepth);
  const isCompiled = commands.some((command) => compiler.test(command) && !/--noEmit\b/i.test(command));
  return isCompiled && !commands.some((command) => otherTools.test(command)) ? undefined : 'npm run build';
}

/** The commands of a script, those of the scripts that it calls among them. */
function commandsOf(scripts: Readonly<Record<string, unknown>>, name: string, depth: number): readonly string[] {
  const text = scripts[name];
  if (typeof text !== 'string' || depth === 0) return [];
  return text.split(/&&|\|\||[;&|]/).flatMap((command) => {
    const called = otherScript.exec(command)?.[1];
    return called !== undefined && typeof scripts[called] === 'string'
      ? commandsOf(scripts, called, depth - 1)
      : [command.trim()];
  });
}
