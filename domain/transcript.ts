/** Who spoke. Transcripts are stored speaker-neutral and projected per agent, which removes most role echo. */
export type Speaker = "user" | "assistant";

export interface Turn {
  readonly speaker: Speaker;
  readonly text: string;
}

export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** The transcript as one agent sees it: its own turns are `assistant`, the other's `user`. */
export function projectFor(agent: Speaker, turns: readonly Turn[]): Message[] {
  return turns.map(({ speaker, text }) => ({ role: speaker === agent ? "assistant" : "user", content: text }));
}

/** Lines `User: …` and `Assistant: …`, for a judge. */
export function renderTranscript(turns: readonly Turn[]): string {
  return turns
    .map(({ speaker, text }) => `${speaker === "user" ? "User" : "Assistant"}: ${text.replaceAll(/\s+/g, " ").trim()}`)
    .join("\n");
}
