"""The one exception that people see: what was wrong, where, and what to do about it."""


class TextRecognizerError(Exception):
    """A problem its reader can mend. The message names the thing at fault; `fix` says what to do.

    Library code raises it; only the command line turns it into text and an exit status.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  fix: {self.fix}" if self.fix else self.what


class DataError(TextRecognizerError):
    """The data are not what they should be: a broken archive, a page without its text, an unknown character."""


class ConfigError(TextRecognizerError):
    """`params.yaml` or a command-line value is not valid."""


class ModelError(TextRecognizerError):
    """A model folder is missing, incomplete, or made for something else."""
