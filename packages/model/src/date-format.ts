/** Dates written in .NET's format strings: UTC, invariant culture. */

export const dayNames: readonly string[] = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
export const monthNames: readonly string[] =
  'January February March April May June July August September October November December'.split(' ');

/** Single letters that stand for a whole format. */
const standardFormats: ReadonlyMap<string, string> = new Map([
  ['d', 'MM/dd/yyyy'],
  ['D', 'dddd, dd MMMM yyyy'],
  ['f', 'dddd, dd MMMM yyyy HH:mm'],
  ['F', 'dddd, dd MMMM yyyy HH:mm:ss'],
  ['g', 'MM/dd/yyyy HH:mm'],
  ['G', 'MM/dd/yyyy HH:mm:ss'],
  ['m', 'MMMM dd'],
  ['M', 'MMMM dd'],
  ['o', "yyyy-MM-dd'T'HH:mm:ss.fffffffK"],
  ['O', "yyyy-MM-dd'T'HH:mm:ss.fffffffK"],
  ['r', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"],
  ['R', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"],
  ['s', "yyyy'-'MM'-'dd'T'HH':'mm':'ss"],
  ['t', 'HH:mm'],
  ['T', 'HH:mm:ss'],
  ['u', "yyyy'-'MM'-'dd HH':'mm':'ss'Z'"],
  ['U', 'dddd, dd MMMM yyyy HH:mm:ss'],
  ['y', 'yyyy MMMM'],
  ['Y', 'yyyy MMMM'],
]);

/** A quoted text, an escaped character, a run of one format letter, or any other character. */
const tokenPattern = /'([^']*)'|"([^"]*)"|\\(.)|%?(([dfFghHKmMstyz])\5*)|([\s\S])/gu;

/**
 * Writes an instant in a .NET format, standard or custom. Returns undefined for a format that .NET refuses.
 */
export function formatDate(instantMs: number, format: string): string | undefined {
  const custom = format.length === 1 ? standardFormats.get(format) : format;
  if (custom === undefined || custom === '') return undefined;
  const date = new Date(instantMs);
  let result = '';
  for (const [, single, double, escaped, run, , other] of custom.matchAll(tokenPattern)) {
    if (other === "'" || other === '"' || other === '\\' || other === '%') return undefined;
    if (run === undefined) {
      result += single ?? double ?? escaped ?? other ?? '';
      continue;
    }
    const text = formatRun(date, run);
    if (text === undefined) return undefined;
    // An empty run of F takes the decimal point before it along.
    if (text === '' && run.startsWith('F') && result.endsWith('.')) result = result.slice(0, -1);
    else result += text;
  }
  return result;
}

function formatRun(date: Date, run: string): string | undefined {
  const length = run.length;
  switch (run[0]) {
    case 'd':
      return length < 3 ? pad(date.getUTCDate(), length) : named(dayNames, date.getUTCDay(), length);
    case 'M':
      return length < 3 ? pad(date.getUTCMonth() + 1, length) : named(monthNames, date.getUTCMonth(), length);
    case 'y':
      return length < 3 ? pad(date.getUTCFullYear() % 100, length) : pad(date.getUTCFullYear(), length);
    case 'H':
      return pad(date.getUTCHours(), Math.min(length, 2));
    case 'h':
      return pad(date.getUTCHours() % 12 || 12, Math.min(length, 2));
    case 'm':
      return pad(date.getUTCMinutes(), Math.min(length, 2));
    case 's':
      return pad(date.getUTCSeconds(), Math.min(length, 2));
    case 'f':
    case 'F':
      return formatFraction(date, run);
    case 't':
      return (date.getUTCHours() < 12 ? 'AM' : 'PM').slice(0, length);
    case 'z':
      return length === 1 ? '+0' : length === 2 ? '+00' : '+00:00';
    case 'K':
      return 'Z'.repeat(length);
    default:
      return 'A.D.';
  }
}

function formatFraction(date: Date, run: string): string | undefined {
  if (run.length > 7) return undefined;
  const digits = pad(date.getUTCMilliseconds(), 3).padEnd(7, '0').slice(0, run.length);
  return run.startsWith('f') ? digits : digits.replace(/0+$/, '');
}

function named(names: readonly string[], index: number, length: number): string {
  const name = names[index] ?? '';
  return length === 3 ? name.slice(0, 3) : name;
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}
