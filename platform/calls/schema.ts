/** Keys are blobs of 32 bytes; labels are columns so that the ledger is a query. */
export const callsSchema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 30000;
  CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, at TEXT NOT NULL, run TEXT NOT NULL, stage TEXT NOT NULL, context TEXT NOT NULL, arm TEXT NOT NULL,
    role TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT, text TEXT NOT NULL, finishReason TEXT NOT NULL,
    refusal TEXT, input INTEGER NOT NULL, cachedInput INTEGER NOT NULL, output INTEGER NOT NULL, usd REAL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS calls_by_run ON calls (run);
  CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, stage TEXT NOT NULL, context TEXT NOT NULL, arm TEXT NOT NULL,
    role TEXT NOT NULL, provider TEXT NOT NULL, outcome TEXT NOT NULL, cause TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS attempts_by_run ON attempts (run);
`;

export const insertCall = `INSERT INTO calls (key, at, run, stage, context, arm, role, provider, model, fingerprint, text, finishReason, refusal, input, cachedInput, output, usd)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`;

export const insertAttempt = `INSERT INTO attempts (key, at, run, stage, context, arm, role, provider, outcome, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const selectUsage = `
  SELECT stage, context, arm, role, model, SUM(calls) AS calls, SUM(reread) AS reread, SUM(failed) AS failed, SUM(wasted) AS wasted,
    SUM(input) AS inputTokens, SUM(cachedInput) AS cachedInputTokens, SUM(output) AS outputTokens,
    CASE WHEN SUM(unpriced) > 0 THEN NULL ELSE SUM(usd) END AS usd
  FROM (
    SELECT stage, context, arm, role, model, 1 AS calls, 0 AS reread, 0 AS failed, 0 AS wasted, input, cachedInput, output,
      COALESCE(usd, 0) AS usd, usd IS NULL AS unpriced FROM calls WHERE run = ?
    UNION ALL
    SELECT a.stage, a.context, a.arm, a.role, COALESCE(c.model, a.provider), 0, a.outcome = 'reread', a.outcome = 'failed', a.outcome = 'wasted', 0, 0, 0, 0, 0
      FROM attempts a LEFT JOIN calls c ON c.key = a.key WHERE a.run = ?
  )
  GROUP BY stage, context, arm, role, model ORDER BY stage, context, arm, role, model`;

export const selectSpend = `
  SELECT (SELECT COUNT(*) FROM calls WHERE run = ?) + (SELECT COUNT(*) FROM attempts WHERE run = ? AND outcome = 'wasted') AS calls,
    (SELECT COUNT(*) FROM attempts WHERE run = ? AND outcome = 'reread') AS reread,
    (SELECT CASE WHEN SUM(usd IS NULL) > 0 THEN NULL ELSE COALESCE(SUM(usd), 0) END FROM calls WHERE run = ?) AS usd,
    (SELECT COUNT(*) FROM calls WHERE run = ?) AS priced`;
