/** The program of a compute thread. */
import { serveTasks } from '../threads/serve-tasks.ts';
import { computeTasks } from './task-registry.ts';

serveTasks(computeTasks);
