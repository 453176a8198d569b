/** `/v1/packages/{sha256}`: zipped apps by their content. */
import { z } from 'zod';
import { codeVersionSchema, packageHashSchema } from './names.ts';

export const storedPackageSchema = z
  .object({
    sha256: packageHashSchema,
    codeVersion: codeVersionSchema,
    sizeBytes: z.int().min(0),
    /** False when the same bytes were there already. */
    isNew: z.boolean(),
  })
  .meta({ id: 'StoredPackage' });

export type StoredPackage = z.infer<typeof storedPackageSchema>;

/** The content type of a package. */
export const packageType = 'application/zip';
