import type { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import { searchAttributes } from "../../contract/search-attributes.ts";

const retention = "30 days";

/** IndexedValueType of Temporal's API. */
const valueTypes = { KEYWORD: 2, INT: 3, DOUBLE: 4 } as const;

/**
 * Gives the namespace its retention and the search attributes, at every start: the dev server's own default is a day,
 * and its flags do nothing once its database file exists.
 */
export async function prepareNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(retention) } });
  const missing = new Set(await missingSearchAttributes(connection, namespace));
  if (missing.size === 0) return;
  const wanted = Object.values(searchAttributes).filter(({ name }) => missing.has(name));
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(wanted.map(({ name, type }) => [name, valueTypes[type]])),
  });
}

/** Names of Attune's search attributes that the namespace lacks. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<readonly string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const names = Object.values(searchAttributes).map(({ name }) => name);
  return names.filter((name) => customAttributes?.[name] === undefined);
}
