/** How a service ought to be, as far as drift is looked for; and the text of it that a finding holds. */
import {
  limitsSchema,
  type ServiceLimits,
  serviceVersionSchema,
  targetNameSchema,
} from '@switchyard/protocol/control-api';
import { z } from 'zod';

/** What a manifest, a Pulumi state or the applied specification says of one service. */
export interface DesiredService {
  readonly serviceId: string;
  readonly computeTarget: string;
  readonly version: string;
  readonly limits?: ServiceLimits;
  /** The configuration that it ought to have, where the source names one. */
  readonly configuration?: { readonly configurationId: string; readonly version: number };
}

const findingTextSchema = z.object({
  version: serviceVersionSchema.exactOptional(),
  computeTarget: targetNameSchema.exactOptional(),
  limits: limitsSchema.exactOptional(),
});

/** Reads the text that a finding has of what is desired; undefined when it is something else. */
export function parseDesiredService(text: string): z.infer<typeof findingTextSchema> | undefined {
  try {
    return findingTextSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
