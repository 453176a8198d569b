import { fileURLToPath } from 'node:url';

/** The host program as it stands in the sources; Node.js 24 runs it without a build. */
export const nodeProgram = fileURLToPath(new URL('../node/main.ts', import.meta.url));

/** Flags with which Node.js finds the sources of the packages that it imports. */
export const sourceFlags = ['--conditions=switchyard-source'];
