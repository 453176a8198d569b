#!/usr/bin/env node
/** The `func` command, for what starts the official tools: plain JavaScript that Node 20 understands. */
import { launch } from './launch.mjs';

await launch('func');
