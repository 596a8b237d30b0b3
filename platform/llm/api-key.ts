/** What an HTTP header can hold, and no white space. */
const sendable = /^[\x21-\x7e]+$/;

/**
 * Why the value of a variable can't be sent as a key; null when it can. The reason never holds the value: what HTTP clients throw for such a key
 * does, and ends in logs.
 */
export function whyNoKey(name: string, value: string | undefined): string | null {
  if (value === undefined || value === "") return `${name} is not set`;
  return sendable.test(value) ? null : `the value of ${name} is no key: it holds white space or characters other than ASCII`;
}
