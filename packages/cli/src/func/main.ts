/** The process behind `func`. */
import { runProcess } from '../run-process.ts';
import { runFunc } from './run-func.ts';

runProcess(runFunc);
