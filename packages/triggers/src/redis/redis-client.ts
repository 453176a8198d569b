/** What the triggers and bindings need of Redis. */
import type { Secret } from '@switchyard/kernel';
import type { IdentitySettings } from '../identity/identity-settings.ts';

/** A server, and who connects to it. */
export interface RedisConnection {
  readonly host: string;
  readonly port: number;
  readonly usesTls: boolean;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** Whose token is the password, fetched for each line. */
  readonly identity?: IdentitySettings;
  readonly database: number;
}

/** A part of a command. */
export type RedisArgument = string | Uint8Array;

/** What Redis answers: texts are bytes, counts numbers, lists arrays; null is nothing. */
export type RedisReply = null | number | Uint8Array | readonly RedisReply[];

/** One line to a server. It never mends itself: whoever needs it opens another one. */
export interface RedisSession {
  /** Resolves with the reason when the line is over. */
  readonly ended: Promise<Error>;
  /** Rejects when the server answers with an error, or the line is over. */
  command(...parts: readonly RedisArgument[]): Promise<RedisReply>;
  /** All of the commands or none of them. */
  transaction(commands: readonly (readonly RedisArgument[])[]): Promise<void>;
  /** From then on the line takes no commands. */
  subscribe(
    channel: string,
    isPattern: boolean,
    onMessage: (channel: string, message: Uint8Array) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

export interface RedisService {
  /** A line of the caller's own, which it closes. Rejects when the server cannot be reached or refuses. */
  open(connection: RedisConnection): Promise<RedisSession>;
  /** A line that is shared, for commands alone, opened anew when it was lost. */
  shared(connection: RedisConnection): Promise<Pick<RedisSession, 'command' | 'transaction'>>;
}

/** Bytes of Redis as text. */
export function toText(value: RedisReply | undefined): string {
  if (value === undefined || value === null) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}
