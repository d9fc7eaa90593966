"""The few git commands that the registry is made of."""

import getpass
import subprocess
from pathlib import Path

from text_recognizer.errors import TextRecognizerError

NOTHING = "0" * 40  # as an old value: the ref must not exist yet


class RegistryError(TextRecognizerError):
    """The registry cannot be read or written, or what was asked of it cannot be."""


class TakenError(RegistryError):
    """Another promotion was first."""


class Git:
    """One clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def run(self, *arguments: str, text: str | None = None) -> str:
        """What git answers, without its last newline. Raises RegistryError with git's own words."""
        done = self._do(arguments, text)
        if done.returncode:
            words = " ".join((done.stderr or done.stdout).split()) or f"it ended with {done.returncode}"
            raise RegistryError(f"git {arguments[0]} failed: {words}", "mend what git says, then repeat the command")
        return done.stdout.rstrip("\n")

    def holds(self, *arguments: str) -> bool:
        """Whether git answers with success."""
        return self._do(arguments, None).returncode == 0

    def _do(self, arguments: tuple[str, ...], text: str | None) -> subprocess.CompletedProcess[str]:
        # What git says must not depend on the user's language, and it must never wait for a password.
        command = ["env", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    @property
    def is_clone(self) -> bool:
        return self.holds("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def show(self, commit: str, path: Path) -> str:
        """A file as it was at a commit. Raises RegistryError where the commit or the file is not there."""
        return self.run("show", f"{commit}:./{path.as_posix()}")

    def identity(self) -> tuple[str, str]:
        """Name and address of whoever asks; the account's where git was told none."""
        name = self._do(("config", "user.name"), None).stdout.strip() or getpass.getuser()
        return name, self._do(("config", "user.email"), None).stdout.strip() or f"{name}@localhost"
