/** `/v1/apps/{app}/settings` and `/v1/apps/{app}/keys`. */
import { z } from 'zod';
import { functionNameSchema, revisionSchema } from './names.ts';

/** What a masked value reads. */
export const maskedValue = '***';

/** What an app may have of settings, at most. */
export const settingLimits = { count: 2_000, nameLength: 256, valueBytes: 64 * 1024 } as const;

export const settingNameSchema = z
  .string()
  .max(settingLimits.nameLength)
  .regex(/^(?!__proto__$)[A-Za-z_][\w.:-]*$/, 'must start with a letter or "_" and hold letters, digits, "_.:-" only');

export const settingValueSchema = z
  .string()
  .max(settingLimits.valueBytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no environment can carry a NUL.
  .regex(/^[^\u0000]*$/, 'must not hold the character NUL');

/** Sets and removes; names that are not mentioned stay as they are. Names differ by more than their case. */
export const patchSettingsSchema = z
  .strictObject({
    set: z.record(settingNameSchema, settingValueSchema).exactOptional(),
    remove: z.array(settingNameSchema).max(settingLimits.count).exactOptional(),
    /** The revision that the writer has seen; left out, the last writer wins. */
    revision: revisionSchema.exactOptional(),
  })
  .meta({ id: 'PatchSettings' });

export const settingsSchema = z
  .object({
    revision: revisionSchema,
    /** In order of name; every value reads `***` unless it was asked for. */
    settings: z.array(z.object({ name: z.string(), value: z.string() })),
  })
  .meta({ id: 'Settings' });

/** `?reveal` shows the values and needs the scope for secrets. */
export const revealQuerySchema = z.strictObject({ reveal: z.string().exactOptional() });

export const keyKindSchema = z.enum(['host', 'function', 'system', 'master']);

export const keySchema = z
  .object({
    kind: keyKindSchema,
    /** With keys of one function. */
    functionName: functionNameSchema.exactOptional(),
    name: z.string(),
    value: z.string(),
  })
  .meta({ id: 'Key' });

export const keysSchema = z.object({ keys: z.array(keySchema) }).meta({ id: 'Keys' });

export type PatchSettings = z.infer<typeof patchSettingsSchema>;
export type SettingsView = z.infer<typeof settingsSchema>;
export type KeyKind = z.infer<typeof keyKindSchema>;
export type KeyView = z.infer<typeof keySchema>;
export type KeysView = z.infer<typeof keysSchema>;
