import { type ControlHandlers, json } from '../control-call.ts';
import { createOpenApiDocument } from '../openapi.ts';

/** What the control API says of itself. */
export const serviceHandlers: ControlHandlers<'getHealth' | 'getPublicKeys' | 'getOpenApi'> = {
  getHealth: () => json({ status: 'healthy' }),
  getPublicKeys: async ({ deps }) => json(await deps.publicKeys()),
  getOpenApi: () => json(createOpenApiDocument()),
};
