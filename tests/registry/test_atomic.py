"""Killed between any two of its steps, a promotion leaves one champion; of two at once, one wins; two clones agree."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from text_recognizer import paths
from text_recognizer.evaluation.speed import Speed
from text_recognizer.files import sha256
from text_recognizer.registry import RegistryError, TakenError, bring_champion, promote, rollback
from text_recognizer.registry.git import Git
from text_recognizer.registry.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
FORK = multiprocessing.get_context("fork")
STEPS = 60


@pytest.fixture(scope="module")
def committed(in_service, better, clone_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenged") / "project"
    clone = clone_of(shutil.copytree(in_service, folder, symlinks=True))
    clone.commit(better)
    return clone


@pytest.fixture
def challenged(committed, clone_of, tmp_path):
    """The worse reader in service, and the better one committed."""
    return clone_of(shutil.copytree(committed.folder, tmp_path / "project", symlinks=True))


# Promotes in one fork after another, each of which kills itself before one of its git commands. In an interpreter of
# its own: what other tests have started in this one does not survive a fork.
KILLER = """
import json, os, signal, sys
from pathlib import Path
from text_recognizer.config import GateSection, PromoteSection
from text_recognizer.evaluation.speed import Speed
from text_recognizer.registry import promote
from text_recognizer.registry.git import Git

limits, section = GateSection(**json.loads(sys.argv[1])), PromoteSection(**json.loads(sys.argv[2]))
original = Git._do
for row in sys.stdin:
    folder, count = json.loads(row)
    if fork := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]), flush=True)
        continue
    done = 0
    def counted(self, arguments, text):
        global done
        if done == count:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return original(self, arguments, text)
    Git._do = counted
    promote(Path(folder), limits, section, measured=lambda *_: Speed(0.01, 200))
    os._exit(0)
"""


@pytest.fixture
def killed_after(limits, section):
    """Promotes in a folder and kills that before git command number `count`; returns its exit status."""
    command = [sys.executable, "-c", KILLER, limits.model_dump_json(), section.model_dump_json()]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as killer:

        def run(folder, count):
            killer.stdin.write(json.dumps([str(folder), count]) + "\n")
            killer.stdin.flush()
            return int(killer.stdout.readline())

        yield run
        killer.stdin.close()


def test_a_promotion_that_is_killed_between_any_two_steps_leaves_one_champion(
    challenged, better, worse, limits, section, quick, killed_after, clone_of, tmp_path
):
    models = {"v1.0.0": worse.score["model"], "v2.0.0": better.score["model"]}
    seen, repeated = [], set()
    for count in range(STEPS):
        # Given a fresh copy, When a promotion is killed before one of its git commands
        clone = clone_of(shutil.copytree(challenged.folder, tmp_path / "killed", symlinks=True))
        status = killed_after(clone.folder, count)
        assert status in (0, -signal.SIGKILL)
        champion = clone.champion
        seen.append(champion)
        # Then the folder holds a whole model, of the old champion or of the new one
        assert sha256(clone.folder / paths.CHAMPION / "reader.json") in models.values()
        # And what was killed can be repeated, or brought, to the same end
        if champion not in repeated or status == 0:
            repeated.add(champion)
            if champion == "v1.0.0":
                assert promote(clone.folder, limits, section, measured=quick)["passed"]
            bring_champion(clone.folder, section)
            assert clone.champion == "v2.0.0"
            assert sha256(clone.folder / paths.CHAMPION / "reader.json") == models["v2.0.0"]
        shutil.rmtree(clone.folder)
        if status == 0:
            break
    assert status == 0, "more steps than were tried"
    assert seen == sorted(seen)
    assert set(seen) == {"v1.0.0", "v2.0.0"}


@pytest.fixture
def machines(challenged, clone_of, tmp_path):
    """Two clones that share a git remote and a DVC remote; each has the challenger committed."""
    bare = tmp_path / "shared.git"
    challenged.git("init", "--quiet", "--bare", "--initial-branch", "main", str(bare))
    challenged.git("remote", "add", "origin", str(bare))
    challenged.git("push", "--quiet", "--tags", "origin", "main")
    # What `dvc push` sent when each was trained: a remote lies as the cache does.
    shutil.copytree(challenged.folder / ".dvc/cache/files", tmp_path / "store" / "files")
    challenged.do("git", "clone", "--quiet", str(bare), str(tmp_path / "other"))
    other = clone_of(tmp_path / "other")
    other.git("config", "user.name", "Bob")
    other.git("config", "user.email", "bob@example.org")
    return challenged, other


@pytest.fixture
def shared(section):
    return section.model_copy(update={"git_remote": "origin"})


def test_two_machines_see_the_same_and_only_one_of_two_at_once_wins(machines, better, limits, shared):
    one, other = machines
    shutil.copytree(one.folder / paths.MODEL, other.folder / paths.MODEL, dirs_exist_ok=True)
    # Given both have read that v1 is in service, When both promote
    meeting, outcomes = FORK.Barrier(2, timeout=90), FORK.Queue()

    def together(*_):
        meeting.wait()
        return Speed(0.01, 200)

    def attempt(clone):
        try:
            outcomes.put(promote(clone.folder, limits, shared, measured=together)["passed"])
        except TakenError as error:
            outcomes.put(error.what)

    children = [FORK.Process(target=attempt, args=(clone,)) for clone in machines]
    for child in children:
        child.start()
    said = [outcomes.get(timeout=120) for _ in children]
    for child in children:
        child.join()
    # Then one won, the other was told so, and both see the same
    assert said.count(True) == 1
    assert [text for text in said if text is not True and "another promotion was first" in text]
    for clone in machines:
        bring_champion(clone.folder, shared)
        assert clone.champion == "v2.0.0"
        assert sha256(clone.folder / paths.CHAMPION / "reader.json") == better.score["model"]
    # And a rollback on the one is a rollback on the other
    rollback(other.folder, shared, "it was worse on our forms")
    assert bring_champion(one.folder, shared).version == "v1.0.0"


def test_a_remote_that_cannot_be_asked_promotes_nothing(machines, limits, shared, quick, tmp_path):
    shutil.rmtree(tmp_path / "shared.git")
    with pytest.raises(RegistryError, match="git fetch failed"):
        promote(machines[0].folder, limits, shared, measured=quick)
    assert machines[0].champion == "v1.0.0"


def test_a_clone_with_promotions_of_its_own_is_refused(machines, limits, section, shared, quick):
    promote(machines[0].folder, limits, section, measured=quick)
    with pytest.raises(RegistryError, match=r"promotions that origin does not know: .*reader#champion#2"):
        rollback(machines[0].folder, shared, "why")


def test_a_number_is_given_once(challenged):
    # Given two that both read the champion before either wrote
    ledger = Ledger(Git(challenged.folder), None)
    champion = ledger.champion()
    version = ledger.version("v1")
    ledger.assign(version, {"kind": "promote"}, champion)
    # When the second writes, Then it is refused
    with pytest.raises(TakenError, match="another promotion meanwhile"):
        ledger.assign(version, {"kind": "promote"}, champion)


def test_a_tag_that_holds_no_record_stops_every_command(challenged, limits, section, quick):
    challenged.git("tag", "--annotate", "reader#champion#2", "--message", "by hand")
    with pytest.raises(RegistryError, match="holds no record of a promotion"):
        promote(challenged.folder, limits, section, measured=quick)
