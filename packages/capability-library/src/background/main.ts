/** The program of a background thread. */
import { serveTasks } from '../threads/serve-tasks.ts';
import { countWords } from './count-words.ts';
import { summariseCsv } from './summarise-csv.ts';

serveTasks({ 'csv.summary': summariseCsv, 'text.words': countWords });
