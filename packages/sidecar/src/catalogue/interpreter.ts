import { compareVersions, coversVersion } from './runtime-version.ts';

/** A program of this machine that runs a language. */
export interface Interpreter {
  /** Its absolute path, or a name that the system finds. */
  readonly path: string;
  /** For example `20.11.1`. */
  readonly version: string;
}

export interface InterpreterRequest {
  readonly candidates: readonly Interpreter[];
  /** The version that the app asks for. */
  readonly wanted: string | undefined;
  /** The version that the worker takes when nobody asks; empty for none. */
  readonly preferred: string;
  /** The versions that the worker allows; empty for all. */
  readonly supported: readonly string[];
  /** Versions that are known to do, when the worker does not say: the best first. */
  readonly known: readonly string[];
}

export type InterpreterChoice =
  | { readonly kind: 'found'; readonly interpreter: Interpreter; readonly known: boolean }
  /** `needed` is the version, or the versions, one of which would have done. */
  | { readonly kind: 'missing'; readonly needed: readonly string[] };

/** Picks the program that fits a worker best: what the app asks for, else what the worker prefers, else the newest. */
export function chooseInterpreter(request: InterpreterRequest): InterpreterChoice {
  const { candidates, wanted, preferred, supported, known } = request;
  const newestFirst = [...candidates].sort((a, b) => compareVersions(b.version, a.version));
  const pick = (versions: readonly string[]): Interpreter | undefined =>
    versions
      .map((version) => newestFirst.find((candidate) => coversVersion(version, candidate.version)))
      .find((candidate) => candidate !== undefined);
  const found = (interpreter: Interpreter | undefined, needed: readonly string[]): InterpreterChoice =>
    interpreter === undefined ? { kind: 'missing', needed } : { kind: 'found', interpreter, known: true };

  if (wanted !== undefined) return found(pick([wanted]), [wanted]);
  if (supported.length > 0) {
    const allowed = [...supported].sort((a, b) => compareVersions(b, a));
    return found(pick([preferred, ...allowed]), allowed);
  }
  const good = pick([preferred, ...known]);
  const newest = good ?? newestFirst[0];
  if (newest === undefined) return { kind: 'missing', needed: known };
  return { kind: 'found', interpreter: newest, known: good !== undefined || known.length === 0 };
}
