/** `/v1/apps/{app}/functions/{name}/invoke`. */
import { z } from 'zod';

/** How the bytes of a body stand in JSON. */
const encodingSchema = z.enum(['utf8', 'base64']);

const headersSchema = z.record(z.string().regex(/^(?!__proto__$)[\w!#$%&'*+.^`|~-]+$/, 'must be a header'), z.string());

/** What to call a function with. Everything but `input` is for HTTP functions. */
export const invokeRequestSchema = z
  .strictObject({
    /** The body of the request, or the input of the trigger. */
    input: z.string().exactOptional(),
    encoding: encodingSchema.exactOptional(),
    /** Left out: GET without an input, else POST, as far as the function takes them. */
    method: z
      .string()
      .regex(/^[A-Z]{1,20}$/, 'must be an HTTP method in upper case')
      .exactOptional(),
    /** The path with its query, from the app's root; left out, the function's route where it has no parameters. */
    path: z
      .string()
      .max(8_192)
      .regex(/^\/[\u0021-\u007e]*$/, 'must start with "/" and hold no blanks')
      .exactOptional(),
    headers: headersSchema.exactOptional(),
  })
  .meta({ id: 'InvokeRequest' });

/** What came back: of an HTTP function its response, of others 202 once they were called. */
export const invokeAnswerSchema = z
  .object({
    status: z.int().min(100).max(599),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
    encoding: encodingSchema,
    durationMs: z.number().min(0),
  })
  .meta({ id: 'InvokeAnswer' });

export type InvokeRequest = z.infer<typeof invokeRequestSchema>;
export type InvokeAnswer = z.infer<typeof invokeAnswerSchema>;
