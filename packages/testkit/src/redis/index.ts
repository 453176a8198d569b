/** A Redis of a test's own. */
export { openRedis, redisPart, type TestRedis } from './open-redis.ts';
