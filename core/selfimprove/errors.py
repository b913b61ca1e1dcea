"""The ends a command or a worker can come to, as exceptions that carry their exit code.

The codes are the contract between workers and whoever starts them (a Job's `podFailurePolicy`, the local executor):
what is worth a retry, what is the user's to mend, and what heals when the surroundings do.
"""

from __future__ import annotations

DONE = 0
UNEXPECTED = 1
WRONG_INPUT = 2
FAILED = 3
SURROUNDINGS = 4
INTERRUPTED = 130
TERMINATED = 143


class SelfImproveError(Exception):
    """One clear line for a person, and the exit code that goes with it."""

    exit_code = UNEXPECTED


class UserError(SelfImproveError):
    """The user's input is wrong: `field: value is ...; remedy`. A retry can't help."""

    exit_code = WRONG_INPUT


class ToldError(SelfImproveError):
    """What a worker process has said to the person already, as an error: what is left to say is what that comes to."""


class InvalidRunError(UserError):
    """FILE is no run that could begin: its problems, one a line."""


class OtherRunError(UserError):
    """FILE asks for another run than the one that was begun under its name."""


class FailedError(SelfImproveError):
    """The step failed for good (a loss that is NaN, a training set that is empty). A retry gives the same."""

    exit_code = FAILED


class SurroundingsError(SelfImproveError):
    """Credentials, bucket, hub or disk: heals by itself or needs a hand, then the same command goes on."""

    exit_code = SURROUNDINGS


class UnreadableError(SurroundingsError):
    """A document in storage is damaged, or a newer version wrote it."""


class OtherPlaceError(SurroundingsError):
    """A store does not answer, or does not know us or the bucket: perhaps another server was meant."""


class CredentialsError(SurroundingsError):
    """There are no credentials, or a store does not take those it was given."""


class RefusedError(CredentialsError, OtherPlaceError):
    """A store does not take our credentials: they may be wrong, or meant for another server."""


class TerminatedError(SelfImproveError):
    """SIGTERM came; the part at hand is committed."""

    exit_code = TERMINATED
