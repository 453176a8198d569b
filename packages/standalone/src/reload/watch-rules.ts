/** Which paths of an app's folder matter to a development host: pure decisions. Paths are relative, with slashes. */

/** What the decisions depend on. */
export interface WatchFacts {
  /** `main` of package.json. */
  readonly main: string | undefined;
  /** Where the app's compiler writes, when it has one; undefined when sources run as they are. */
  readonly outDir: string | undefined;
  /** Extensions of the language's source files, with their dots. */
  readonly extensions: readonly string[];
  /** `watchFiles` of host.json, and other files by their names. */
  readonly fileNames: readonly string[];
  /** `watchDirectories` of host.json. */
  readonly folders: readonly string[];
  /** Folders that the host itself writes. */
  readonly ownFolders: readonly string[];
}

/**
 * What a change of a file asks for: a new version of the app, a run of its compiler, or nothing.
 */
export type ChangeKind = 'version' | 'source' | 'nothing';

export interface WatchRules {
  /** False for folders that hold nothing of the app's own. */
  entersFolder(path: string): boolean;
  kindOf(path: string): ChangeKind;
}

/** Installed, generated or somebody else's. A changed installation shows in package.json. */
const foreignFolders: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  '__pycache__',
  'venv',
  'coverage',
  'obj',
  'target',
]);

/** Where compilers and bundlers write by custom. */
const outputFolder = 'dist';

/** Read by the host or the worker in every language. */
const appFiles: readonly string[] = ['host.json', 'local.settings.json', 'function.json', 'package.json', '.env'];

/** Data that is loaded like code. */
const dataExtensions: readonly string[] = ['.json', '.wasm', '.node'];

/** Written by package managers and compilers, and read by neither host nor app. */
const toolFiles = /^(?:package-lock|npm-shrinkwrap|tsconfig(?:\..+)?|jsconfig)\.json$/;

/** What editors leave beside a file while they save it. */
const editorFiles = /^[.#]|~$|\.(?:sw[a-z]|tmp|bak|orig)$|___jb_(?:tmp|old)___$|^\d+$/;

const typeScriptFile = /\.[mc]?tsx?$/;

export function createWatchRules(facts: WatchFacts): WatchRules {
  const outputs = [outputFolder, facts.outDir].map(normalize).filter((path) => path !== '');
  const main = staticFolder(facts.main);
  // What `main` names may load the rest of the output that it stands in.
  const mainOutputs = outputs.filter((output) => isWithin(main, output));
  const asked = [main, ...mainOutputs, ...facts.folders].map(normalize).filter(isOwn);
  const isAsked = (path: string): boolean => asked.some((one) => isWithin(path, one) || isWithin(one, path));
  const isOutput = (path: string): boolean => outputs.some((one) => isWithin(path, one));
  const own = facts.ownFolders.map(normalize);
  const names = new Set([...appFiles, ...facts.fileNames]);
  const extensions = [...facts.extensions, ...dataExtensions];
  const runsTypeScript = facts.outDir === undefined && typeScriptFile.test(facts.main ?? '');
  return {
    entersFolder(path) {
      if (own.some((one) => isWithin(path, one)) || !isOwn(path)) return false;
      return isAsked(path) || !isOutput(path);
    },
    kindOf(path) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (names.has(name) || name.startsWith('.env.')) return 'version';
      if (editorFiles.test(name) || toolFiles.test(name)) return 'nothing';
      if (typeScriptFile.test(name))
        return runsTypeScript ? 'version' : facts.outDir === undefined ? 'nothing' : 'source';
      return extensions.some((extension) => name.endsWith(extension)) ? 'version' : 'nothing';
    },
  };
}

/** True unless a part of the path is hidden or foreign. */
function isOwn(path: string): boolean {
  return path !== '' && path.split('/').every((name) => !name.startsWith('.') && !foreignFolders.has(name));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The folder in which every file that `main` can name stands: the part before its first pattern. */
function staticFolder(main: string | undefined): string {
  const parts = normalize(main).split('/');
  const end = parts.findIndex((part) => /[*?{[(!]/.test(part));
  return parts.slice(0, end === -1 ? parts.length - 1 : end).join('/');
}

/** With slashes, without `./` in front and slashes at the end. */
function normalize(path: string | undefined): string {
  return (path ?? '')
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '');
}
