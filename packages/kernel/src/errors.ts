/**
 * The one error type of the platform, and the catalogues that define its codes.
 *
 * Expected outcomes are return values; a PlatformError means failure. `message` says what happened, with which value,
 * why, and how to fix it. `details` are safe to log; `cause` is logged and never sent to a caller.
 */

/** Whose turn it is to act. */
export type Blame = 'user' | 'platform' | 'dependency';

/** Whether the same call may be tried again. */
export type Retry = 'never' | 'safe' | { readonly afterMs: number };

/** What a catalogue says of one code. */
export interface ErrorDefinition {
  readonly blame: Blame;
  readonly retry: Retry;
  /** The status an HTTP caller sees. */
  readonly http: number;
  /** The gRPC status code a stream ends with. */
  readonly grpc: number;
  /** The exit code of a command that ends with this error. */
  readonly exit: number;
  /** The message; `{name}` is filled in from the details. */
  readonly message: string;
}

/** Values that a message quotes and a log line carries. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: string;
  readonly definition: ErrorDefinition;
  readonly details: ErrorDetails;

  constructor(code: string, definition: ErrorDefinition, details: ErrorDetails, cause?: unknown) {
    super(fill(definition.message, details), cause === undefined ? undefined : { cause });
    this.code = code;
    this.definition = definition;
    this.details = details;
  }

  get blame(): Blame {
    return this.definition.blame;
  }

  get retry(): Retry {
    return this.definition.retry;
  }
}

/** A package's closed set of errors; one function per code makes the error. */
export interface ErrorCatalogue<Code extends string> {
  readonly definitions: Readonly<Record<Code, ErrorDefinition>>;
  create(code: Code, details?: ErrorDetails, cause?: unknown): PlatformError;
}

/** Declares a package's catalogue. Codes are upper case words joined by underscores, and never used again. */
export function defineErrors<Code extends string>(
  definitions: Readonly<Record<Code, ErrorDefinition>>,
): ErrorCatalogue<Code> {
  return {
    definitions,
    create: (code, details = {}, cause) => new PlatformError(code, definitions[code], details, cause),
  };
}

/** The text of anything that was thrown; a thing that cannot be turned into text gives its kind. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return '[object Object]';
  }
}

/** Tells a PlatformError, also one made by another copy of this module. */
export function isPlatformError(thrown: unknown): thrown is PlatformError {
  return thrown instanceof Error && thrown.name === 'PlatformError' && 'definition' in thrown;
}

/** A value that is a sentence itself, such as the message of another error, does not get a second full stop. */
function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}(\.?)/g, (placeholder, name: string, stop: string) => {
    if (!Object.hasOwn(details, name)) return placeholder;
    const value = String(details[name]);
    return /[.!?]$/.test(value) ? value : `${value}${stop}`;
  });
}
