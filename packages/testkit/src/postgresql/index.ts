/** A PostgreSQL of a test's own. */
export { openPostgresql, postgresqlPart, type TestPostgresql } from './open-postgresql.ts';
