"""Run the git commands that the registry needs."""

import getpass
import subprocess
from pathlib import Path

from text_recognizer.core.errors import TextRecognizerError

MUST_NOT_EXIST = "0" * 40  # the old value that `git update-ref` expects of a ref that does not exist


class RegistryError(TextRecognizerError):
    """The registry cannot be read or written, or the request is not possible."""

    code = "registry"


class ConflictError(RegistryError):
    """Another promotion was written first."""

    code = "registry-conflict"


class Git:
    """One clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Return git's output without its last newline; `text` is its input. Raises RegistryError."""
        done = self._do(arguments, text)
        if done.returncode:
            message = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
            raise RegistryError(f"git {arguments[0]} failed: {message}", "correct what git names, then try again")
        return done.stdout.rstrip("\n")

    def succeeds(self, *arguments: str) -> bool:
        """Return whether a git command exits with 0."""
        return self._do(arguments, None).returncode == 0

    def _do(self, arguments: tuple[str, ...], text: str | None) -> subprocess.CompletedProcess[str]:
        # The output must not depend on the user's language, and git must never wait for a password.
        command = ["env", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    @property
    def is_clone(self) -> bool:
        """Whether the folder is in a git clone that has a commit."""
        return self.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def show(self, commit: str, path: Path) -> str:
        """Return the text of a file at a commit. Raises RegistryError if the commit or the file does not exist."""
        return self.run("show", f"{commit}:./{path.as_posix()}")

    def identity(self) -> tuple[str, str]:
        """Return the user's name and e-mail address; those of the account if git has none."""
        name = self._do(("config", "user.name"), None).stdout.strip() or getpass.getuser()
        return name, self._do(("config", "user.email"), None).stdout.strip() or f"{name}@localhost"
