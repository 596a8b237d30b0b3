/** A disk or a store is full. What was begun is not stored; the same step can be done again once there is room. */
export class NoRoomError extends Error {
  override readonly name = "NoRoomError";
  constructor(what: string, place: string, cause: unknown) {
    super(
      `${what} can't be written: no room is left in ${place}. Free some, then run the experiment again; nothing half-written is kept.`,
      {
        cause,
      },
    );
  }
}

/** A full disk, and the end of a user's share of one. */
const codes: readonly unknown[] = ["ENOSPC", "EDQUOT"];
const diskIsFull = (error: unknown): boolean => error instanceof Error && "code" in error && codes.includes(error.code);

/**
 * Does what writes to `place`: below that folder, unless `isFull` knows another kind of place.
 * @throws NoRoomError where that is full, naming `what` was to be written
 */
export async function withRoom<T>(
  what: string,
  place: string,
  work: () => Promise<T>,
  isFull: (error: unknown) => boolean = diskIsFull,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isFull(error) ? new NoRoomError(what, place, error) : error;
  }
}
