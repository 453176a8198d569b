/** The words that commands cannot do without. */
import { isApplicationId, toApplicationId } from '@switchyard/model';
import { controlErrors } from './errors.ts';

/** The name of an app, as the user gave it. `usage` is the whole command line, for the message. */
export function requireApp(word: string | undefined, usage: string): string {
  if (word === undefined)
    throw controlErrors.create('ARGUMENT_MISSING', { what: 'The app', usage, fix: "'switchyard ps' lists all apps." });
  return checkApp(word);
}

/** The name of a function, as the user gave it. */
export function requireFunction(word: string | undefined, usage: string): string {
  const fix = "'switchyard ps <app>' lists the functions of an app.";
  if (word === undefined) throw controlErrors.create('ARGUMENT_MISSING', { what: 'The function', usage, fix });
  if (/^[a-z][\w-]{0,126}$/i.test(word)) return word;
  throw controlErrors.create('CONTROL_FUNCTION_INVALID', { name: word.slice(0, 80), fix });
}

/** Throws APP_ID_INVALID. */
export function checkApp(name: string): string {
  if (isApplicationId(name)) return name;
  throw controlErrors.create('APP_ID_INVALID', { name: name.slice(0, 80), near: toApplicationId(name) });
}

/** The name of a tenant, as the user gave it. */
export function requireTenant(word: string | undefined, usage: string): string {
  const fix = "Apps are of tenant 'default' unless they were deployed with --tenant.";
  if (word === undefined) throw controlErrors.create('ARGUMENT_MISSING', { what: 'The tenant', usage, fix });
  return checkTenant(word);
}

/** Tenants are named like apps. Throws TENANT_INVALID. */
export function checkTenant(name: string): string {
  if (isApplicationId(name)) return name;
  throw controlErrors.create('TENANT_INVALID', { name: name.slice(0, 80) });
}
