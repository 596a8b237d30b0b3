import type { JobKind } from "../../contract/job-spec.ts";

/** What a job may see of the worker's environment. Keys of providers are not among it. */
const passed = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TMPDIR",
  "TZ",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "NVIDIA_VISIBLE_DEVICES",
  "OMP_NUM_THREADS",
  "OMP_WAIT_POLICY",
] as const;

/** glibc gives large blocks back after every training step otherwise: a full-depth DPO step then takes twice as long. */
const keepMemory = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
  MALLOC_ARENA_MAX: "1",
  THP_MEM_ALLOC_ENABLE: "1",
};

/**
 * OpenMP's threads spin while they wait for each other otherwise. Beside workers, teacher and server on the same cores that costs 5 to 10 times:
 * a training step took 15–45 s instead of 4–7 s (2 cores, load 10).
 */
const waitAsleep = { OMP_WAIT_POLICY: "PASSIVE" };

/** Environment of a job's process. */
export function jobEnvironment(kind: JobKind, worker: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = passed.flatMap((name) => {
    const value = worker[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PYTHONUNBUFFERED: "1",
    // The trainer lies in the project, where a run must leave nothing.
    PYTHONDONTWRITEBYTECODE: "1",
    ...waitAsleep,
    ...(kind === "align" ? keepMemory : {}),
    ...Object.fromEntries(kept),
  };
}
