/**
 * Whose call goes next. While more than a width waits, the unit that is furthest: few are half-done at a time, and the rest stand ready for a
 * slot that falls free while Temporal brings in new ones. When fewer wait, the unit that is least far: the last ones stay level and end together, so
 * that the width is full to the end. The longest wait decides among equals.
 */
export function nextOf<T extends { readonly progress: number }>(waiting: readonly T[], width: number): T | undefined {
  const furthest = waiting.length > width;
  let best = waiting[0];
  for (const entry of waiting)
    if (best !== undefined && (furthest ? entry.progress > best.progress : entry.progress < best.progress)) best = entry;
  return best;
}
