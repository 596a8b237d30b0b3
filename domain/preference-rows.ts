/** A pair at one assistant turn; `prompt` is the shared history and ends with the user's message. */
export interface PreferencePair {
  readonly unit: string;
  readonly family: string;
  /** From 1. */
  readonly turn: number;
  readonly prompt: readonly Message[];
  readonly chosen: string;
  readonly rejected: string;
}

interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A row of a preference model's training data. */
export interface PreferenceRow {
  readonly id: string;
  readonly family: string;
  readonly level: "conversation" | "turn";
  readonly chosen: readonly Message[];
  readonly rejected: readonly Message[];
}

/**
 * Bradley–Terry rows at two levels, from the pairs of one unit. A turn's row is its shared history with either reply. A unit's conversation runs through its last pair, with
 * either the chosen or the rejected reply at every turn that has a pair, and the shared reply elsewhere; a unit with one pair gives no
 * conversation of its own, since that would be the turn's row again.
 * Declared: the method's paper trains on whole conversations and does not say how they are put together.
 */
export function preferenceRows(pairs: readonly PreferencePair[]): readonly PreferenceRow[] {
  const ordered = pairs.toSorted((a, b) => a.turn - b.turn);
  return [...conversationRow(ordered), ...ordered.map(turnRow)];
}

function turnRow({ unit, family, turn, prompt, chosen, rejected }: PreferencePair): PreferenceRow {
  const history = spoken(prompt);
  const ending = (content: string): readonly Message[] => [...history, { role: "assistant", content }];
  return { id: `${unit}#${turn}`, family, level: "turn", chosen: ending(chosen), rejected: ending(rejected) };
}

function conversationRow(pairs: readonly PreferencePair[]): readonly PreferenceRow[] {
  const last = pairs.at(-1);
  if (last === undefined || pairs.length < 2) return [];
  const history: readonly Message[] = [...spoken(last.prompt), { role: "assistant", content: "" }];
  const side = (pick: "chosen" | "rejected") => withReplies(history, new Map(pairs.map((pair) => [pair.turn, pair[pick]])));
  return [{ id: last.unit, family: last.family, level: "conversation", chosen: side("chosen"), rejected: side("rejected") }];
}

/** The n-th assistant message answers turn n. */
function withReplies(history: readonly Message[], replies: ReadonlyMap<number, string>): readonly Message[] {
  let turn = 0;
  return history.map((message) => {
    if (message.role !== "assistant") return message;
    turn += 1;
    return { role: "assistant", content: replies.get(turn) ?? message.content };
  });
}

function spoken(prompt: readonly Message[]): readonly Message[] {
  return prompt.filter(({ role }) => role !== "system");
}
