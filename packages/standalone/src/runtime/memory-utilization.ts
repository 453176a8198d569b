import { totalmem } from 'node:os';

/** The share that this process uses of the memory that it may use: of a container's limit where there is one. */
export function memoryUtilization(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return process.memoryUsage.rss() / (constrained > 0 && constrained < total ? constrained : total);
}
