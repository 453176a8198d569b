/** App settings, read as .NET configuration reads them: names in any case, `__` and `:` alike. */
import { modelErrors } from './errors.ts';

/** App settings and connection strings of one app. */
export interface SettingsView {
  /** The value of a setting, or undefined. */
  get(name: string): string | undefined;
  /**
   * Replaces every `%NAME%` in a text; `where` names the text in errors.
   * @throws PlatformError SETTING_MISSING, SETTING_REFERENCE_INVALID
   */
  expand(text: string, where: string): string;
  /** The settings below a section, by the rest of their names in lower case: `Conn__serviceUri` is `serviceuri` of `Conn`. */
  section(name: string): ReadonlyMap<string, string>;
}

/** The longest text that references are replaced in, after replacing. */
const maxExpandedLength = 1_000_000;

/** A view of settings. Of names that differ only in case or separator the last one holds. */
export function createSettingsView(settings: Iterable<readonly [name: string, value: string]>): SettingsView {
  const values = new Map<string, string>();
  for (const [name, value] of settings) values.set(toSettingKey(name), value);
  const get = (name: string): string | undefined => values.get(toSettingKey(name));
  return {
    get,
    expand: (text, where) => expandReferences(text, where, get),
    section(name) {
      const prefix = `${toSettingKey(name)}:`;
      const found = [...values].filter(([key]) => key.startsWith(prefix));
      return new Map(found.map(([key, value]) => [key.slice(prefix.length), value]));
    },
  };
}

/** The form in which names of settings are compared. */
export function toSettingKey(name: string): string {
  return name.replaceAll('__', ':').toLowerCase();
}

function expandReferences(text: string, where: string, get: (name: string) => string | undefined): string {
  let result = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('%', at);
    if (open < 0) return result + text.slice(at);
    const close = text.indexOf('%', open + 1);
    const details = { where, text, position: open + 1 };
    if (close < 0) {
      throw modelErrors.create('SETTING_REFERENCE_INVALID', { ...details, problem: 'a "%" is never closed' });
    }
    const name = text.slice(open + 1, close);
    if (name === '') {
      throw modelErrors.create('SETTING_REFERENCE_INVALID', { ...details, problem: 'no name stands between two "%"' });
    }
    const value = get(name);
    if (value === undefined || value === '') throw modelErrors.create('SETTING_MISSING', { where, name });
    result += text.slice(at, open) + value;
    if (result.length > maxExpandedLength) {
      throw modelErrors.create('SETTING_REFERENCE_INVALID', { ...details, problem: 'the result would be too long' });
    }
    at = close + 1;
  }
}
