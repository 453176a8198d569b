import { adminCases } from './cases/admin.ts';
import { customHandlerCases } from './cases/custom-handler.ts';
import { eventCases } from './cases/events.ts';
import { expressionCases } from './cases/expressions.ts';
import { hostJsonCases, metadataCases } from './cases/host-json.ts';
import { keyCases } from './cases/keys.ts';
import { levelsCases } from './cases/levels.ts';
import { requestCases } from './cases/requests.ts';
import { responseCases } from './cases/responses.ts';
import { retryCases } from './cases/retries.ts';
import { routeCases } from './cases/routes.ts';
import { storageCases } from './cases/storage.ts';
import { tableCases } from './cases/tables.ts';
import { timerCases } from './cases/timers.ts';
import type { ConformanceCase } from './contract.ts';

/** Every case, in the order of the sections; disruptive ones are for the end. */
export const allCases: readonly ConformanceCase[] = [
  ...metadataCases,
  ...routeCases,
  ...levelsCases,
  ...requestCases,
  ...responseCases,
  ...adminCases,
  ...keyCases,
  ...hostJsonCases,
  ...timerCases,
  ...storageCases,
  ...tableCases,
  ...eventCases,
  ...customHandlerCases,
  ...expressionCases,
  ...retryCases,
];
