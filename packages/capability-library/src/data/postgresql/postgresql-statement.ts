import { shorten } from '../../parameters.ts';

/**
 * Statements that would outlive their call: they end the transaction that the call is in, or change the connection, which
 * other calls use after it. PostgreSQL itself refuses two statements in one text, because all go by its extended protocol.
 */
const sessionStatements = new Set([
  'abort',
  'begin',
  'close',
  'commit',
  'copy',
  'deallocate',
  'declare',
  'discard',
  'end',
  'execute',
  'fetch',
  'listen',
  'load',
  'move',
  'prepare',
  'release',
  'reset',
  'rollback',
  'savepoint',
  'set',
  'start',
  'unlisten',
]);

/** Why a statement is not sent to PostgreSQL at all, or undefined. */
export function reasonAgainst(sql: string): string | undefined {
  const bare = sql.replace(/^(?:\s+|;|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)+/, '');
  const word = /^[a-z]+/i.exec(bare)?.[0].toLowerCase();
  if (word === undefined && !bare.startsWith('(')) return `'${shorten(sql)}' is no statement`;
  if (word !== undefined && sessionStatements.has(word))
    return `${word.toUpperCase()} changes the connection, which calls share; use batch for a transaction`;
  return undefined;
}
