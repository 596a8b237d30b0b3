import { listenOnce, nodeAddress } from "../../platform/jobs/node.ts";
import { checkStore, placeOfStore, type Project } from "../project.ts";
import { attempt, type Check } from "./machine.ts";

/** Where runs' facts and files go, whether that place keeps what runs rest on, and whether this machine can serve others that share it. */
export async function* storeChecks(project: Project): AsyncGenerator<Check> {
  const isS3 = (project.env["ATTUNE_STORE"] ?? "") !== "";
  yield await attempt("store", "docs/storage.md says what a store needs and which variables name it.", async () => {
    await checkStore(project);
    return isS3 ? `${placeOfStore(project)}, which honours conditional puts` : `files in ${placeOfStore(project)}`;
  });
  if (isS3 || (project.env["ATTUNE_NODE_ADDRESS"] ?? "") !== "") yield await servingAddress(project, isS3);
}

/** Workers on other machines can't call a server that is announced on loopback. */
async function servingAddress({ env }: Project, isS3: boolean): Promise<Check> {
  const remedy =
    "Where llm workers run on other machines than this one's GPU worker, set ATTUNE_NODE_ADDRESS to an address under which they reach it: docs/storage.md.";
  let isLoopback = false;
  const check = await attempt("serving address", remedy, async () => {
    const address = nodeAddress(env);
    const ip = await listenOnce(address);
    isLoopback = ip.startsWith("127.") || ip === "::1";
    return isLoopback ? `models are served at ${address}, for this machine alone` : `models are served at ${address}`;
  });
  return isS3 && isLoopback ? { ...check, state: "warning", remedy } : check;
}
