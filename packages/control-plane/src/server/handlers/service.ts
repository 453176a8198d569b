import { type ControlHandlers, coversTenant, json } from '../control-call.ts';
import { createOpenApiDocument } from '../openapi.ts';

/** What the control API says of itself. */
export const serviceHandlers: ControlHandlers<'getHealth' | 'getPublicKeys' | 'getOpenApi' | 'listRuntimes'> = {
  getHealth: () => json({ status: 'healthy' }),
  getPublicKeys: async ({ deps }) => json(await deps.publicKeys()),
  getOpenApi: () => json(createOpenApiDocument()),
  listRuntimes({ deps, caller }) {
    const isVisible = (applicationId: string): boolean => {
      const application = deps.catalog.applications.get(applicationId);
      return application !== undefined && coversTenant(caller, application.tenantId);
    };
    const { runtimes, maximum } = deps.platform.runtimes();
    const shown = runtimes.map((runtime) => ({ ...runtime, applications: runtime.applications.filter(isVisible) }));
    return json({ maximum, runtimes: shown });
  },
};
