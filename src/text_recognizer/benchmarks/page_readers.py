"""Readers of whole pages that are compared: ours, RapidOCR and Tesseract. Each uses one thread."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import cv2
import numpy as np

from text_recognizer import __version__
from text_recognizer.benchmarks import rapidocr_runner
from text_recognizer.core.errors import DataError, TextRecognizerError
from text_recognizer.inference import Recognizer
from text_recognizer.pages.opening import open_pages

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Readable:
    """A file, and its pages as PNG files for readers that cannot open it."""

    path: Path
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class FileReading:
    """The text of a file, its pages joined by newlines, and the time it took. `error` says why it could not be read."""

    text: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    error: str = ""


class PageTextReader(Protocol):
    """A reader under comparison. `version` is NOT_INSTALLED if it cannot be used."""

    name: str
    version: str

    def read(self, file: Readable) -> FileReading:
        """Read all pages of a file."""

    def close(self) -> None:
        """End the processes of the reader."""


class OwnReader:
    """This project's reader. It opens the files itself."""

    name = "text-recognizer"

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.version = f"{__version__}, model {recognizer.digest[:8]}"

    @classmethod
    def load(cls, model: Path | None = None) -> "OwnReader":
        """Load a model folder, by default the pretrained reader's, with all networks that reading needs."""
        cv2.setNumThreads(1)
        recognizer = Recognizer.load(model, threads=1)
        _ = recognizer.reader
        return cls(recognizer)

    def read(self, file: Readable) -> FileReading:
        """Read all pages of a file."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            texts = [self._recognizer.read(page.rgb).text for page in open_pages(file.path)]
        except DataError as error:
            return FileReading(error=error.what)
        return FileReading("\n".join(texts), time.perf_counter() - wall, time.process_time() - cpu)

    def read_picture(self, rgb: np.ndarray) -> str:
        """Read a picture, uint8 RGB (H, W, 3). A picture in which nothing can be read has no text."""
        try:
            return self._recognizer.read(rgb).text
        except DataError:
            return ""

    def close(self) -> None:
        """Do nothing: there is no process."""


class Tesseract:
    """Tesseract with its English model. Each page starts the program anew, which is part of the time."""

    name = "Tesseract"

    def __init__(self, program: str = "tesseract") -> None:
        self._program = shutil.which(program)
        self.version = self._find_version()

    def _find_version(self) -> str:
        if self._program is None:
            return NOT_INSTALLED
        shown = subprocess.run([self._program, "--version"], capture_output=True, text=True, check=False)
        return " ".join((shown.stdout or shown.stderr).split()[1:2])

    def read(self, file: Readable) -> FileReading:
        """Read all pages of a file."""
        wall, cpu = time.perf_counter(), _children_seconds()
        texts = []
        for picture in file.pictures:
            command = [str(self._program), str(picture), "stdout", "-l", "eng"]
            done = subprocess.run(
                command, capture_output=True, text=True, encoding="utf-8", check=False, env=os.environ | ONE_THREAD
            )
            if done.returncode:
                return FileReading(error=(done.stderr.splitlines() or ["no message"])[-1])
            texts.append(done.stdout)
        return FileReading("\n".join(texts), time.perf_counter() - wall, _children_seconds() - cpu)

    def close(self) -> None:
        """Do nothing: every process has ended."""


class RapidOcr:
    """RapidOCR with its default models, in a process of another environment whose interpreter is `python`."""

    name = "RapidOCR"

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: subprocess.Popen[str] | None = None
        self.version = NOT_INSTALLED
        if python.is_file():
            self.version = str(self._start().get("version", NOT_INSTALLED))

    def read(self, file: Readable) -> FileReading:
        """Read all pages of a file. After a crash, the process is started again for the next file."""
        if self._process is None:
            self._start()
        answers = [self._ask(picture) for picture in file.pictures]
        if failed := [str(answer["error"]) for answer in answers if "error" in answer]:
            return FileReading(error=failed[0])
        seconds, cpu_seconds = (
            sum(float(str(answer[key])) for answer in answers) for key in ("seconds", "cpu_seconds")
        )
        return FileReading("\n".join(str(answer["text"]) for answer in answers), seconds, cpu_seconds)

    def close(self) -> None:
        """End the process."""
        if self._process:
            _stream(self._process.stdin).close()
            self._process.wait()
            self._process = None

    def _start(self) -> dict[str, object]:
        """Start the process, and return its first answer, empty if it has ended."""
        self._process = subprocess.Popen(
            [str(self._python), rapidocr_runner.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | ONE_THREAD,
        )
        return self._answer(self._process)

    def _ask(self, picture: Path) -> dict[str, object]:
        if self._process is None:
            return {"error": "the process ended"}
        with contextlib.suppress(BrokenPipeError):  # the answer below is missing, too
            print(picture, file=_stream(self._process.stdin), flush=True)
        return self._answer(self._process) or {"error": "the process ended"}

    def _answer(self, process: "subprocess.Popen[str]") -> dict[str, object]:
        """Return the next answer; empty if the process has ended."""
        line = _stream(process.stdout).readline()
        if not line:
            process.wait()
            self._process = None
            return {}
        answer: dict[str, object] = json.loads(line)
        return answer


def installed(readers: Sequence[PageTextReader]) -> list[PageTextReader]:
    """Return the readers that can be used."""
    return [reader for reader in readers if reader.version != NOT_INSTALLED]


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise TextRecognizerError("a process was started without pipes", "report this")
    return stream


def _children_seconds() -> float:
    """Return the CPU time of the child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
