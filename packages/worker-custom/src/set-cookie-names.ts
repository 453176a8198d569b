/**
 * Names for several `set-cookie` headers in one map. FunctionRpc holds each name once, and cookies cannot share a line as
 * other headers can. Header names have no case, so each cookie gets a spelling of its own, and every one arrives as the
 * handler wrote it. There are 512 spellings; browsers keep far fewer cookies of one site.
 */
export function setCookieNames(): () => string {
  let count = 0;
  return () => {
    const bits = count;
    count += 1;
    return [...'set-cookie'].map((letter, index) => (bits & (1 << index) ? letter.toUpperCase() : letter)).join('');
  };
}
