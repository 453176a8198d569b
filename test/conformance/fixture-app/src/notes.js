/** What functions saw, for the route `notes/{key}`: the way in which the kit looks into functions that nobody calls. */
const notes = new Map();

export function note(key, value) {
  notes.set(key, [...(notes.get(key) ?? []), value]);
}

export function notesOf(key) {
  return notes.get(key) ?? [];
}
