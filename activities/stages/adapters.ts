import type { Ref } from "../../contract/ref.ts";

const place = /^adapters\/[a-z0-9.-]+\/([a-z0-9-]+)\/([0-9a-f]{8})\/index\.json$/;

/** `<context>-<digest8>`: the name under which a server offers the adapter; told by where the folder is stored. */
export function adapterName({ uri }: Ref): string {
  const match = place.exec(uri);
  if (match === null) throw new Error(`${uri} is no adapter folder: expected adapters/<backbone>/<context>/<digest8>/index.json`);
  return `${match[1]}-${match[2]}`;
}
