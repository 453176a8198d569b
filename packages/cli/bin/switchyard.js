#!/usr/bin/env node
/** The `switchyard` command: plain JavaScript that Node 20 understands. */
import { launch } from './launch.mjs';

await launch('main');
