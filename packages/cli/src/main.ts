/** The process behind `switchyard`. */
import { commands } from './registry.ts';
import { runProcess } from './run-process.ts';
import { runSwitchyard } from './run-switchyard.ts';

runProcess((words, context) => runSwitchyard(words, commands, context));
