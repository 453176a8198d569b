/** A list or a stream, as the polling listener sees it. */
import type { Backlog, TriggerEvent } from '../contract.ts';
import type { RedisSession } from './redis-client.ts';

/** What was taken and is not done with yet. */
export interface RedisEntry {
  /** For a stream its id; for a list it is unique among what is in hand. */
  readonly id: string;
  readonly value: Uint8Array;
  /** How often its function was lost. */
  readonly losses: number;
}

/** Takes entries over one line, in the name of one taker. What its line has taken and not done with comes again elsewhere. */
export interface RedisSource {
  /** Entries that nobody has, or whose taker is gone. */
  take(count: number): Promise<readonly RedisEntry[]>;
  /** They are done with and will not come again. */
  done(entries: readonly RedisEntry[]): Promise<void>;
  /** Tells that this taker lives and has these. */
  keep(entries: readonly RedisEntry[]): Promise<void>;
  /** The taker ends; what it still has comes again to others. */
  leave(entries: readonly RedisEntry[]): Promise<void>;
  backlog(): Promise<Backlog>;
}

/** How a kind of source is opened and shown to functions. */
export interface RedisSourceKind {
  /** For log lines. */
  readonly name: string;
  open(session: RedisSession, taker: string): Promise<RedisSource>;
  toEvent(entry: RedisEntry): TriggerEvent;
  toBatchEvent(entries: readonly RedisEntry[]): TriggerEvent;
}

/** A taker that was not heard of for so long is gone. */
export const takerGoneMs = 60_000;

/** How often a taker tells that it lives. */
export const keepMs = 20_000;
