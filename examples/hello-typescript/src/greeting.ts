/** A greeting in the words of the app's settings. */
export function greet(name: string): string {
  return `${process.env.GREETING ?? 'Hello'}, ${name}!`;
}
