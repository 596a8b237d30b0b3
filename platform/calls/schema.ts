/** Keys are blobs of 32 bytes; labels are columns so that the ledger is a query, and the indices by run hold all that `spend` reads. */
export const callsSchema = `
  PRAGMA busy_timeout = 30000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, at TEXT NOT NULL, run TEXT NOT NULL, stage TEXT NOT NULL, context TEXT NOT NULL, arm TEXT NOT NULL,
    role TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT, text TEXT NOT NULL, finishReason TEXT NOT NULL,
    refusal TEXT, input INTEGER NOT NULL, cachedInput INTEGER NOT NULL, output INTEGER NOT NULL, usd REAL, raw TEXT NOT NULL
  ) WITHOUT ROWID;
  DROP INDEX IF EXISTS calls_by_run;
  CREATE INDEX IF NOT EXISTS calls_by_stage ON calls (run, stage, usd);
  CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, stage TEXT NOT NULL, context TEXT NOT NULL, arm TEXT NOT NULL,
    role TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL, cause TEXT NOT NULL,
    input INTEGER NOT NULL, cachedInput INTEGER NOT NULL, output INTEGER NOT NULL, usd REAL
  );
  DROP INDEX IF EXISTS attempts_by_run;
  CREATE INDEX IF NOT EXISTS attempts_by_stage ON attempts (run, outcome, stage, usd);
  CREATE INDEX IF NOT EXISTS failures_by_key ON attempts (key) WHERE outcome = 'failed';
`;

export const insertCall = `
  INSERT INTO calls (key, at, run, stage, context, arm, role, provider, model, fingerprint, text, finishReason, refusal, input, cachedInput, output, usd, raw)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`;

export const insertAttempt = `
  INSERT INTO attempts (key, at, run, stage, context, arm, role, provider, model, outcome, cause, input, cachedInput, output, usd)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const selectFailures = `SELECT COUNT(*) AS count, MIN(at) AS firstAt FROM attempts WHERE key = ? AND outcome = 'failed'`;

/** An attempt's model is the one that its call was answered by, where it was answered at all. */
export const selectUsage = `
  SELECT stage, context, arm, role, model, SUM(calls) AS calls, SUM(reread) AS reread, SUM(failed) AS failed, SUM(wasted) AS wasted,
    SUM(input) AS inputTokens, SUM(cachedInput) AS cachedInputTokens, SUM(output) AS outputTokens,
    CASE WHEN SUM(unpriced) > 0 THEN NULL ELSE SUM(usd) END AS usd
  FROM (
    SELECT stage, context, arm, role, model, 1 AS calls, 0 AS reread, 0 AS failed, 0 AS wasted, input, cachedInput, output,
      COALESCE(usd, 0) AS usd, usd IS NULL AS unpriced FROM calls WHERE run = :run
    UNION ALL
    SELECT a.stage, a.context, a.arm, a.role, COALESCE(c.model, a.model), 0, a.outcome = 'reread', a.outcome IN ('failed', 'outage', 'limited', 'cancelled'), a.outcome = 'wasted',
      a.input, a.cachedInput, a.output, COALESCE(a.usd, 0), a.outcome = 'wasted' AND a.usd IS NULL
      FROM attempts a LEFT JOIN calls c ON c.key = a.key WHERE a.run = :run
  )
  GROUP BY stage, context, arm, role, model ORDER BY stage, context, arm, role, model`;

export const selectFingerprints = `
  SELECT stage, role, model, fingerprint, COUNT(*) AS answers
  FROM (
    SELECT stage, role, model, fingerprint FROM calls WHERE run = :run
    UNION ALL
    SELECT a.stage, a.role, c.model, c.fingerprint FROM attempts a JOIN calls c ON c.key = a.key WHERE a.run = :run AND a.outcome = 'reread'
  )
  WHERE fingerprint IS NOT NULL GROUP BY stage, role, model, fingerprint ORDER BY stage, role, model, fingerprint`;

export const selectSpend = `
  SELECT COUNT(*) AS calls, (SELECT COUNT(*) FROM attempts WHERE run = :run AND outcome = 'reread') AS reread,
    CASE WHEN SUM(usd IS NULL) > 0 THEN NULL ELSE COALESCE(SUM(usd), 0) END AS usd
  FROM (SELECT usd FROM calls WHERE run = :run UNION ALL SELECT usd FROM attempts WHERE run = :run AND outcome = 'wasted')`;

export const selectSpendByStage = `
  SELECT stage, SUM(paid) AS calls, SUM(reread) AS reread, CASE WHEN SUM(unpriced) > 0 THEN NULL ELSE SUM(usd) END AS usd
  FROM (
    SELECT stage, COUNT(*) AS paid, 0 AS reread, SUM(usd IS NULL) AS unpriced, COALESCE(SUM(usd), 0) AS usd FROM calls WHERE run = :run GROUP BY stage
    UNION ALL
    SELECT stage, COUNT(*), 0, SUM(usd IS NULL), COALESCE(SUM(usd), 0) FROM attempts WHERE run = :run AND outcome = 'wasted' GROUP BY stage
    UNION ALL
    SELECT stage, 0, COUNT(*), 0, 0 FROM attempts WHERE run = :run AND outcome = 'reread' GROUP BY stage
  )
  GROUP BY stage`;
