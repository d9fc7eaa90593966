"""Copies of the project with a sample that is drawn, trained on and judged in under a minute, and commands for them.

The reference run is the flow, so the whole pipeline runs through Prefect once. If the system permits it, it runs in a
network namespace that has only loopback.
"""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from text_recognizer.corpora.iam import Form, IamArchive

ROOT = Path(__file__).resolve().parents[2]
# One line per form.
SMALL: dict[str, dict[str, Any]] = {
    "synthetic": {
        "train_forms": 80,
        "validation_forms": 12,
        "test_forms": 12,
        "lines_max": 1,
        "page_width": 1000,
        "page_height": 600,
    },
    "preprocess": {"dpi": 150, "canvas_height": 160, "canvas_width": 400, "padding": 8},
    # The pretrained reader, trained on for a moment.
    "train": {
        "init_from": "models/pretrained",
        "channels": [32, 64, 128, 192],
        "num_blocks": 4,
        "lstm_hidden": 320,
        "steps": 8,
        "batch_size": 2,
        "learning_rate": 0.0001,
        "num_validations": 4,
        "augment": 0.0,
    },
    "language": {"beam_width": 4},
    "runtime": {"threads": 1},
    "evaluate": {"resamples": 100, "robustness": 1},
    "gate": {
        "max_cer": {"synthetic": 10.0},
        "max_wer": 10.0,
        "min_pages": 5,
        "max_interval": 10.0,
        "max_slice_cer": 10.0,
        "min_slice_pages": 5,
        "max_calibration_error": 1.0,
        "max_perturbed": {},
    },
}
# The user's own settings must not change what these tests find.
FOREIGN = ("WANDB_", "PREFECT_", "DVC_", "BENTOML_", "GX_", "DO_NOT_TRACK", "PYTHON")
RUNNING = re.compile(r"Running stage '([\w-]+)'")
SECONDS = 600
# What the reference run leaves beside its copy: how it ended, and the network counters after it.
FLOW, COUNTERS = "flow.json", "counters"
NAMESPACE = ["unshare", "--map-root-user", "--net", "sh", "-c"]
# Saves the network counters after the command: the kernel counts there what it could not send.
WATCHED = """
ip link set lo up || exit
"$@"
status=$?
cat /proc/self/net/snmp /proc/self/net/snmp6 > "$COUNTERS"
exit $status
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended. `said` is its output and its errors together."""

    status: int
    said: str

    @property
    def stages(self) -> list[str]:
        """The stages that DVC ran, in order."""
        return RUNNING.findall(self.said)


@dataclass(frozen=True)
class Project:
    """A copy of the project. Its commands use `home` as the user's home, so that the real one does not change."""

    folder: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        return kept | {
            "PATH": path,
            "HOME": str(self.home),
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONUNBUFFERED": "1",
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc"),
            "PREFECT_HOME": str(self.home / "prefect"),
            "WANDB_MODE": "disabled",
        }

    def run(self, *command: str, **changed: str | None) -> Ended:
        """Run a command of this environment in the copy. A variable that is changed to None is left out."""
        mixed = {**self.environment, **changed}
        environment = {name: value for name, value in mixed.items() if value is not None}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout)

    @contextmanager
    def serving(self, **changed: str) -> Iterator[str]:
        """Serve as the README says, yield the service's address, and end the service by Ctrl-C."""
        server = subprocess.Popen(
            ["text-recognizer", "serve", "--port", "0"],
            cwd=self.folder,
            env={**self.environment, **changed},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert server.stdout
        try:
            yield next(line.split()[2] for line in server.stdout if line.startswith("ready: open "))
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            server.stdout.close()  # not read to its end: a process that survived a kill would hold it open

    def handwriting(self, split: str) -> tuple[Form, float, bytes]:
        """Return the first form of a split, the scale of its picture against the scan, and its handwriting as a PNG."""
        with IamArchive(self.folder / "data/raw/synthetic.zip") as archive:
            name = archive.splits("lwitlrt")[split][0]
            form, page = archive.form(name), archive.picture(name)
        scale, box = page.shape[1] / form.width, form.box
        assert box
        rows = slice(round(box.y * scale), round(box.bottom * scale))
        columns = slice(round(box.x * scale), round(box.right * scale))
        stream = io.BytesIO()
        Image.fromarray(page[rows, columns]).save(stream, "PNG")
        return form, scale, stream.getvalue()

    def correction(self) -> tuple[dict[str, Any], str]:
        """Return a request that puts the one line of a training form's handwriting right, and the text of that line."""
        form, scale, png = self.handwriting("train")
        lines = [{"text": form.text, "box": [0, 0, *Image.open(io.BytesIO(png)).size]}]
        correction = json.dumps({"lines": lines, "dpi": 300 * scale})
        return {"files": {"picture": ("cut.png", png)}, "data": {"correction": correction}}, form.text

    def change(self, **sections: Mapping[str, Any]) -> None:
        """Change values of params.yaml."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section, values in sections.items():
            params[section].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")

    def take(self, address: Path, exclude: Sequence[str] = (), **values: str) -> None:
        """Name another archive as the one source, under the name that the sample has. `values` join its entry."""
        entry = {"address": str(address), "split": "lwitlrt", "name": "synthetic", **values}
        self.change(data={"sources": [entry], "exclude": list(exclude)})

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        for command in (("add", "--all"), (*who, "commit", "--quiet", "--message", message)):
            done = self.run("git", *command)
            assert done.status == 0, done.said

    def copy(self, folder: Path) -> "Project":
        other = copied(folder)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        other.home.mkdir()
        return other

    def results(self) -> dict[str, str]:
        """Return the digests of the files that the stages made. Of the bento, which holds its build time: the model."""
        parts = [self.folder / name for name in ("data", "models", "reports", "dist/bento/src/models")]
        files = [path for part in parts for path in part.rglob("*") if path.is_file() and path.name != ".gitignore"]
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def half_written(self) -> list[str]:
        """Return drafts and checkpoints that were left behind."""
        left = [*self.folder.rglob(".*.part"), *self.folder.glob(".cache/train/*")]
        return sorted(str(path.relative_to(self.folder)) for path in left)


@dataclass(frozen=True)
class Reference:
    """The run without interruption. `counters` holds the network counters after it; None if it had a network."""

    project: Project
    flow: Ended
    counters: Path | None


@pytest.fixture(scope="session")
def empty_project() -> Callable[[Path], Project]:
    """Make a copy that never ran."""
    return fresh


@pytest.fixture(scope="session")
def reference(once: Callable[[str, Callable[[Path], object]], Path]) -> Reference:
    """The reference run. No test changes it."""
    return read_reference(once("reference", run_flow))


def run_flow(folder: Path) -> None:
    """Run the flow in a fresh copy below `folder`, and write how it ended."""
    folder.mkdir()
    command = [sys.executable, "-m", "flows.retrain"]
    counters = folder / COUNTERS if namespace_permitted() else None
    if counters:
        command = [*NAMESPACE, WATCHED, "sh", *command]
    # With Weights & Biases as for a user without a key.
    flow = fresh(folder).run(*command, WANDB_MODE=None, COUNTERS=str(counters) if counters else None)
    (folder / FLOW).write_text(json.dumps(asdict(flow)), encoding="utf-8")


def read_reference(folder: Path) -> Reference:
    flow = Ended(**json.loads((folder / FLOW).read_text(encoding="utf-8")))
    if flow.status:
        pytest.fail(f"the flow ended with {flow.status}:\n{flow.said[-6000:]}")
    counters = folder / COUNTERS
    return Reference(copied(folder), flow, counters if counters.exists() else None)


@pytest.fixture
def project(reference: Reference, tmp_path: Path) -> Project:
    """A copy of the reference, up to date, that a test may change."""
    return reference.project.copy(tmp_path)


def copied(folder: Path) -> Project:
    """Return the copy below `folder`, which may not be there yet."""
    return Project(folder / "project", folder / "home")


def fresh(folder: Path) -> Project:
    """Make a git repository of the files that git knows or would add, with the small parameters."""
    made = copied(folder)
    made.home.mkdir()
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, made.folder / name)
    # Results of the real parameters say nothing about these.
    (made.folder / "dvc.lock").unlink(missing_ok=True)
    shutil.rmtree(made.folder / "reports", ignore_errors=True)
    subprocess.run(["git", "init", "--quiet", str(made.folder)], check=True)
    made.change(**SMALL)
    return made


def break_labels(archive: Path, out: Path) -> str:
    """Copy the archive without the last half of the first form's XML, and return the form's id."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        broken = next(name for name in old.namelist() if name.endswith(".xml"))
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if name == broken else content)
    return broken.rpartition("/")[2].removesuffix(".xml")


def namespace_permitted() -> bool:
    """Return whether this user may make a network namespace and bring its loopback up."""
    try:
        return succeeds([*NAMESPACE, "ip link set lo up"])
    except FileNotFoundError:
        return False


def succeeds(command: Sequence[str]) -> bool:
    return not subprocess.run(command, capture_output=True, check=False).returncode
