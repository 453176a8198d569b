/** The file that hosts load for `web`. */
import { systemClock } from '@switchyard/kernel';
import { resolveHost } from '../resolve-host.ts';
import { createWebCapability } from '../web/web-capability.ts';

export const { create } = createWebCapability({ clock: systemClock, resolve: resolveHost });
