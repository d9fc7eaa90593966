"""The errors that people see: what was wrong, where, and what to do about it."""

from typing import ClassVar

INTERRUPTED = 130  # exit status after Ctrl-C
TEMPORARY = 75  # exit status of a failure that may go away by itself: EX_TEMPFAIL of sysexits.h


class TextRecognizerError(Exception):
    """A problem that the reader can fix. `what` names the thing at fault, `fix` says what to do.

    Library code raises it; the command line prints it and exits with `exit_status`. `code` identifies the kind of
    error for programs, which must not parse the message.
    """

    code: ClassVar[str] = "error"
    exit_status: int = 1

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  fix: {self.fix}" if self.fix else self.what


class DataError(TextRecognizerError):
    """The data are not valid: a damaged archive, a page without its text, an unknown character."""

    code = "data"


class ConnectionFailedError(DataError):
    """A download failed for a reason that may go away: no answer, or an answer that was cut short."""

    code = "connection"
    exit_status = TEMPORARY


class ConfigError(TextRecognizerError):
    """A parameter in `params.yaml` or on the command line is not valid."""

    code = "config"


class ModelError(TextRecognizerError):
    """A model folder is missing, incomplete, or made for something else."""

    code = "model"


class MissingExtraError(TextRecognizerError):
    """A command needs packages of an extra that is not installed."""

    code = "missing-extra"
