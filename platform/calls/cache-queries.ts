/** Statements over what is recorded as a whole; lists come as one JSON array. */

/** Own text of a record, without what the indices repeat of it. */
const callBytes = `32 + octet_length(at) + octet_length(run) + octet_length(stage) + octet_length(context) + octet_length(arm) + octet_length(role)
  + octet_length(provider) + octet_length(model) + COALESCE(octet_length(fingerprint), 0) + octet_length(text) + octet_length(finishReason)
  + COALESCE(octet_length(refusal), 0) + octet_length(raw)`;
const attemptBytes = `32 + octet_length(at) + octet_length(run) + octet_length(stage) + octet_length(context) + octet_length(arm) + octet_length(role)
  + octet_length(provider) + octet_length(model) + octet_length(outcome) + octet_length(cause)`;

export const selectRuns = `
  SELECT run, SUM(calls) AS calls, SUM(input) AS inputTokens, SUM(cachedInput) AS cachedInputTokens, SUM(output) AS outputTokens,
    SUM(usd) AS knownUsd, SUM(unpriced) AS unpriced, SUM(bytes) AS bytes, MAX(at) AS lastUsedAt
  FROM (
    SELECT run, 1 AS calls, input, cachedInput, output, COALESCE(usd, 0) AS usd, usd IS NULL AS unpriced, ${callBytes} AS bytes, at FROM calls
    UNION ALL
    SELECT run, 0, 0, 0, 0, 0, 0, ${attemptBytes}, at FROM attempts
  )
  GROUP BY run ORDER BY lastUsedAt DESC, run`;

/** The calls that go: a list of this connection alone, so that its making and reading hold no other writer up. */
export const createDoomed = `
  CREATE TEMP TABLE IF NOT EXISTS doomed (key BLOB PRIMARY KEY) WITHOUT ROWID;
  CREATE TEMP TABLE IF NOT EXISTS used (key BLOB PRIMARY KEY) WITHOUT ROWID;
  DELETE FROM temp.doomed;
  DELETE FROM temp.used`;
export const fillUsed = `
  INSERT OR IGNORE INTO temp.used SELECT key FROM attempts WHERE run IN (SELECT value FROM json_each(:open)) AND outcome = 'reread'`;
export const fillDoomed = `
  INSERT INTO temp.doomed SELECT key FROM calls WHERE run IN (SELECT value FROM json_each(:runs)) AND key NOT IN (SELECT key FROM temp.used)`;
export const countUsed = `
  SELECT COUNT(*) AS calls FROM calls WHERE run IN (SELECT value FROM json_each(:runs)) AND key IN (SELECT key FROM temp.used)`;

export const selectDoomed = `
  SELECT COUNT(*) AS calls, COALESCE(SUM(usd), 0) AS knownUsd, COALESCE(SUM(usd IS NULL), 0) AS unpriced
  FROM calls WHERE key IN (SELECT key FROM temp.doomed)`;
export const selectShared = `
  SELECT run, COUNT(DISTINCT key) AS calls FROM attempts
  WHERE outcome = 'reread' AND run NOT IN (SELECT value FROM json_each(:runs)) AND key IN (SELECT key FROM temp.doomed)
  GROUP BY run ORDER BY calls DESC, run`;

export const deleteCalls = `DELETE FROM calls WHERE key IN (SELECT key FROM temp.doomed ORDER BY key LIMIT :most)`;
export const deleteDoomed = `DELETE FROM temp.doomed WHERE key IN (SELECT key FROM temp.doomed ORDER BY key LIMIT :most)`;
export const deleteAttempts = `
  DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE run IN (SELECT value FROM json_each(:runs)) LIMIT :most)`;
