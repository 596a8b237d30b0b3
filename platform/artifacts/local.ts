import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readFile, realpath, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { createInterface } from "node:readline";
import type { Ref } from "../../contract/ref.ts";
import { type ArtifactStore, DigestMismatchError } from "./store.ts";

const allowedUri = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9_][A-Za-z0-9._@-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._@-]*)*$/;

/** Artifacts as files below `root`: temp file, fsync, then linked to the final name, which must be new. */
export function localArtifacts(root: string): ArtifactStore {
  const place = (uri: string): string => {
    if (!allowedUri.test(uri) || uri.length > 400) throw new Error(`Artifact uri ${JSON.stringify(uri)} is not allowed: use relative paths of letters, digits and . _ - @`);
    return join(root, ...uri.split("/"));
  };

  /** A symbolic link inside the root must not lead out of it. */
  const inside = async (uri: string): Promise<string> => {
    const file = place(uri);
    await mkdir(dirname(file), { recursive: true });
    const folder = await realpath(dirname(file));
    const base = await realpath(root);
    if (folder !== base && !folder.startsWith(base + sep)) throw new Error(`Artifact ${uri} would lie outside ${root}: a link on the way leads out`);
    return file;
  };

  const write = async (uri: string, fill: (file: FileHandle) => Promise<Omit<Ref, "uri">>): Promise<Ref> => {
    const final = await inside(uri);
    const temporary = `${final}.${randomUUID()}.part`;
    const handle = await open(temporary, "wx");
    try {
      const made = await fill(handle).then(async (facts) => {
        await handle.sync();
        return facts;
      });
      await handle.close();
      try {
        await link(temporary, final);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        const there = await digestFile(final);
        if (there !== made.sha256) throw new DigestMismatchError(uri, `exists with other content (${there.slice(0, 12)}, not ${made.sha256.slice(0, 12)})`);
      }
      return { uri, ...made };
    } finally {
      await handle.close().catch(() => undefined);
      await rm(temporary, { force: true });
    }
  };

  const checked = async (ref: Ref): Promise<string> => {
    const file = place(ref.uri);
    const found = await digestFile(file).catch(() => null);
    if (found === null) throw new DigestMismatchError(ref.uri, "is missing");
    if (found !== ref.sha256) throw new DigestMismatchError(ref.uri, `was altered: its digest is ${found.slice(0, 12)}, not ${ref.sha256.slice(0, 12)}`);
    return file;
  };

  return {
    put: async (uri, content) =>
      write(uri, async (file) => {
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        await file.writeFile(bytes);
        return { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.byteLength, rows: null };
      }),
    putLines: async (uri, rows) =>
      write(uri, async (file) => {
        const hash = createHash("sha256");
        const stream = file.createWriteStream({ autoClose: false });
        let bytes = 0;
        let count = 0;
        for await (const row of rows) {
          const line = Buffer.from(`${JSON.stringify(row)}\n`);
          hash.update(line);
          bytes += line.byteLength;
          count += 1;
          if (!stream.write(line)) await once(stream, "drain");
        }
        await new Promise<void>((resolve, reject) => stream.end((error?: Error | null) => (error ? reject(error) : resolve())));
        return { sha256: hash.digest("hex"), bytes, rows: count };
      }),
    putFile: async (uri, localFile) =>
      write(uri, async (file) => {
        const hash = createHash("sha256");
        let bytes = 0;
        for await (const chunk of createReadStream(localFile)) {
          const part = chunk as Buffer;
          hash.update(part);
          bytes += part.byteLength;
          await file.write(part);
        }
        return { sha256: hash.digest("hex"), bytes, rows: null };
      }),
    read: async (ref) => {
      const content = await readFile(place(ref.uri)).catch(() => null);
      if (content === null) throw new DigestMismatchError(ref.uri, "is missing");
      const found = createHash("sha256").update(content).digest("hex");
      if (found !== ref.sha256) throw new DigestMismatchError(ref.uri, `was altered: its digest is ${found.slice(0, 12)}, not ${ref.sha256.slice(0, 12)}`);
      return content;
    },
    readLines: async function* (ref) {
      const file = await checked(ref);
      for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) if (line !== "") yield JSON.parse(line) as unknown;
    },
    localPath: checked,
    verify: async (ref) =>
      checked(ref).then(
        () => true,
        () => false,
      ),
    exists: async (uri) =>
      stat(place(uri)).then(
        () => true,
        () => false,
      ),
    remove: async (uri) => rm(place(uri), { force: true }),
  };
}

async function digestFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
