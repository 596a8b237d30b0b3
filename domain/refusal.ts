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
  assistant: (text) => anywhere.test(plain(text)),
  user: readsAsRefusal,
  json: (text) => !text.includes("{") && (declinesTask.test(plain(text)) || readsAsRefusal(text)),
};

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
/** The end of what is refused: "with that." is a model's, "with that move" a person's. */
const end = "(?= ?(?:[.!;]|$|, (?:but|as|since|however)\\b| (?:as|because|since) (?:it|this|that)\\b))";
const request = "(?:requests?|prompts?|instructions?|role-?play(?:ing)?|scenario|simulation)";
const content = "(?:content|conversations?|discussions?|topics?|requests?|role-?play|scenarios?)";

const notDone = [
  `assist(?: you)?(?: with\\b| in\\b|${end})`,
  `help you(?: out)?(?: with\\b|${end})`,
  `help with (?:(?:that|this|it)${end}|(?:(?:that|this|your|such) )?(?:(?:kind|type|sort)s? of )?${request}${end})`,
  `comply(?: with (?:that|this))?${end}`,
  `(?:comply with|fulfil+|continue(?: with)?|proceed with|engage in|participate in|take part in|complete|respond to) (?:this|that|your)(?: \\w+)? ${request}${end}`,
  `(?:continue|engage|participate)(?: with| in)? (?:this|that|these|those|such) (?:kind|type|sort)s? of ${content}${end}`,
  `engage in (?:this|that|such)(?: \\w+)? ${content}${end}`,
  "provide (?:you with )?(?:the |any )?(?:\\w+ ){0,2}(?:help|support|assistance)(?: that)? you\\b",
  `role-?play\\b|play (?:this|that|the) (?:role|part|character|persona)${end}`,
  "(?:create|generate|produce|provide) (?:(?:sexual|explicit|graphic|harmful|violent|hateful|such) content|content (?:that|which) (?:promotes|involves|depicts|encourages|sexualizes|could|may|might)\\b)",
].join("|");

const modelsOwn = new RegExp(
  [
    `^${regret}(?:${cannot})(?:${notDone})`,
    `^${regret}(?:as|i(?:'m| am)(?: just| only)?) an? ${ai}\\b(?: \\w+ed by \\w+)?[,;.]? ?(?:(?:and|so|but) )?(?:${cannot})`,
    `^${regret}\\bi (?:must|have to|will)(?: \\w+ly)? decline (?:to (?:engage|participate|continue|role-?play|respond)\\b|(?:this|that|your) ${request})`,
  ].join("|"),
  "i",
);

const declinesTask = new RegExp(
  `^${regret}(?:${cannot})(?:rate|judge|evaluate|score|assess|analy[sz]e|grade|help|assist|comply|fulfil+|create|generate|invent|write|produce|provide|describe|complete|continue|engage|participate|answer|respond)\\b`,
  "i",
);
