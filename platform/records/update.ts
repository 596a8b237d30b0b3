import type { Records } from "./records.ts";

/**
 * Compare-and-swap until it holds; answers what is stored then. `change` is given what is stored, or undefined, and answers it again to leave it as it
 * is. It is called anew each time that somebody else was first.
 */
export async function updateRecord<T>(records: Records, key: string, change: (stored: T | undefined) => T): Promise<T> {
  for (;;) {
    const stored = await records.get(key);
    const value = stored?.value as T | undefined;
    const next = change(value);
    if (next === value || (await records.put(key, next, stored?.version ?? null))) return next;
  }
}
