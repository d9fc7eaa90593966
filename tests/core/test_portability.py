"""What reads a picture can be imported on a system without the modules and signals of POSIX, such as Windows."""

import subprocess
import sys
from pathlib import Path

import pytest

import text_recognizer

SOURCE = Path(text_recognizer.__file__).parent
PORTABLE = ("core", "pages", "inference", "utils/files.py", "utils/archives.py")
# Run before the imports of the project. Other libraries are imported first: they have their own code for Windows.
WITHOUT_POSIX = """
import importlib, os, signal, sys
import numpy, onnxruntime, PIL.Image, pydantic, rapidfuzz, yaml
for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None
for name in ("fork", "setsid", "killpg", "getuid"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM"):
    delattr(signal, name)
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def modules():
    """Return the names of the modules that must be portable."""
    files = [
        path
        for name in PORTABLE
        for path in ([SOURCE / name] if name.endswith(".py") else (SOURCE / name).rglob("*.py"))
    ]
    return sorted(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in files)


def test_what_reads_a_picture_is_imported_without_posix():
    assert len(modules()) > 10
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, *modules()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("line", ["import fcntl", "from os import setsid", "from signal import SIGKILL"])
def test_an_import_that_only_posix_has_is_found(tmp_path, line):
    (tmp_path / "planted.py").write_text(line)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, "planted"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr
