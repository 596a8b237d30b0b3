import { words } from "./text-measures.ts";

/** What of an answer tells whether its model refused. */
interface Said {
  readonly text: string;
  readonly finishReason: string;
  /** The provider's own word of it. */
  readonly refusal: string | null;
}

/** Whose words an answer was to be: the assistant's, a simulated user's, or JSON that was asked for. */
type Owed = "assistant" | "user" | "json";

/** Whether an answer is a refusal by its provider's word, by its filter (what is left of the text is then no answer either), or as it reads. */
export function isRefused({ text, finishReason, refusal }: Said, owed: Owed): boolean {
  return refusal !== null || finishReason === "content_filter" || reads[owed](text);
}

const reads: Readonly<Record<Owed, (text: string) => boolean>> = {
  assistant: (text) => anywhere.test(plain(text.replaceAll(quoted, " "))),
  user: readsAsRefusal,
  json: (text) => !text.includes("{") && (declinesTask.test(plain(text)) || readsAsRefusal(text)),
};

/** Words that an assistant puts into somebody's mouth. */
const quoted = /"[^"]*"|“[^”]*”|‘[^’]*’/g;

const anywhere =
  /\b(?:i(?:'m| am) (?:sorry,? but i )?(?:can(?:'|no)t|unable to|not able to) (?:help|assist|answer|comply|provide|do)|i can(?:'|no)t (?:help|assist) (?:you )?with)\b/i;

/** Words of a longer text are somebody's own, whatever they begin with. */
const longest = 80;

/**
 * A short text that begins as models refuse. People say that they are sorry and can't go on, so it takes what only a model says it can't: help "with
 * that", this request, role-play, the help "you need".
 */
export function readsAsRefusal(text: string): boolean {
  return modelsOwn.test(plain(text)) && words(text).length <= longest;
}

const plain = (text: string) => text.replaceAll("’", "'").replaceAll(/\s+/g, " ").trim();

const regret =
  "(?:(?:i(?:'m| am) (?:\\w+ )?(?:sorry|afraid)|sorry|unfortunately|my apologies|i (?:apologi[sz]e|understand|appreciate))\\b[^.!?]{0,120}[.!]? ?(?:but )?)?";
const cannot =
  "\\bi(?:'m| am) (?:\\w+ )?(?:unable|not (?:able|allowed|permitted|designed|programmed)) to (?:\\w+ly )?|\\bi (?:just |simply )?(?:can'?t|cannot|can not|won't|will not)(?: be able to)? (?:\\w+ly )?";
const ai =
  "(?:ai|artificial intelligence|(?:large )?language model|virtual assistant|chatbot)(?: (?:language )?model| assistant| chatbot| system)?";
/** A model stops here, or goes on as models do: a person tells what it is about. */
const end =
  "(?=[.!]?$|[.!,;]? (?:but|however|is there|if (?:you|there)|please|let me|i(?:'m| am) here|i(?:'d| would) (?:be )?(?:happy|glad)|i can (?:help|offer|provide)|feel free|would you|(?:can|may) i|how (?:can|may|about)|instead|you (?:may|might want)|it(?:'s| is) (?:really |very )?important|as (?:it|this|an ai)|(?:because|since) (?:it|this) (?:goes|violates|is against))\\b)";
const asked = "(?:requests?|prompts?|instructions?|role-?play(?:ing)?|scenario|simulation)";

const notDone = [
  `assist(?: you)?(?: (?:with|in) (?:that|this|it))?${end}`,
  `help(?: you)?(?: out)? with (?:that|this|it)${end}`,
  `(?:assist|help)(?: you)? with (?:(?:that|this|your|such) )?(?:(?:kind|type|sort)s? of )?${asked}${end}`,
  `comply(?: with (?:that|this))?${end}`,
  `(?:comply with|fulfil+|continue(?: with)?|proceed with|engage in|participate in|take part in|complete|respond to) (?:this|that|your)(?: \\w+)? ${asked}\\b`,
  `(?:engage|participate)(?: with| in)? (?:this|that|these|those|such)(?: (?:kind|type|sort)s? of)? (?:content|conversations?|discussions?)${end}`,
  `continue (?:with )?(?:this|that) (?:kind|type|sort) of (?:content|conversation|discussion)\\b`,
  `provide (?:you with )?the (?:help|support|assistance) (?:that )?you (?:need|are looking for|deserve)\\b`,
  `role-?play(?: (?:this|that|as (?:an?|the) (?:person|character|user|human)(?: in \\w+)?))?${end}`,
  "(?:create|generate|produce|provide) (?:(?:sexual|explicit|graphic|harmful|violent|hateful|such) content|content (?:that|which) (?:promotes|involves|depicts|encourages|sexualizes|could|may|might)\\b)",
].join("|");

const modelsOwn = new RegExp(
  [
    `^${regret}(?:${cannot})(?:${notDone})`,
    `^${regret}(?:as|i(?:'m| am)(?: just| only)?) an? ${ai}\\b(?: \\w+ed by \\w+)?[,;.]? ?(?:(?:and|so|but) )?(?:${cannot})`,
    `^${regret}\\bi (?:must|have to|will)(?: \\w+ly)? decline (?:to (?:engage|participate|continue|role-?play|respond)\\b|(?:this|that) ${asked}${end})`,
  ].join("|"),
  "i",
);

const declinesTask = new RegExp(
  `^${regret}(?:${cannot})(?:rate|judge|evaluate|score|assess|analy[sz]e|grade|help|assist|comply|fulfil+|create|generate|invent|write|produce|provide|describe|complete|continue|engage|participate|answer|respond)\\b`,
  "i",
);
