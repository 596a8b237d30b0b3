"""Exit codes of a job and the one error that carries them."""

DONE = 0
BAD_SPEC = 64
BAD_DATA = 65
FAILED = 70
PREEMPTED = 75
HELD = 76


class JobError(Exception):
    """Ends the job with an exit code; the message says what happened, to what, and what to do."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Preempted(JobError):
    """The job was asked to stop (SIGTERM) and has saved what it can go on from."""

    def __init__(self, message: str) -> None:
        super().__init__(PREEMPTED, message)
