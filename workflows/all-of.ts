/** Like Promise.all, but lets all of them end before it throws: what one fails for throws away no other's work, and a cancelled child is waited for. */
export async function allOf<const T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
