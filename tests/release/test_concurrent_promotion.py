"""A promotion that is killed at any step leaves one champion; of two at once, one wins; two clones agree."""

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

from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.schemas import TagRecord
from text_recognizer.release.git import ConflictError, Git, RegistryError
from text_recognizer.release.ledger import Ledger
from text_recognizer.release.promotion import fetch_champion, promote, rollback
from text_recognizer.release.speed import Speed
from text_recognizer.utils.files import sha256

ROOT = Path(__file__).resolve().parents[2]
# Not a fork: threads that other tests have started hold locks that nobody in a fork would release.
SPAWN = multiprocessing.get_context("spawn")
STEPS = 60


@pytest.fixture(scope="module")
def committed(in_service, better, clone_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenged") / "project"
    clone = clone_of(shutil.copytree(in_service, folder, symlinks=True))
    clone.commit(better)
    return clone


@pytest.fixture
def challenged(committed, clone_of, tmp_path):
    """A project with the worse reader in service and the better one committed."""
    return clone_of(shutil.copytree(committed.folder, tmp_path / "project", symlinks=True))


# Promotes in one fork after another. Each fork kills itself before one of its git commands. This runs in an interpreter
# of its own, because threads that other tests have started do not survive a fork. It imports DVC once for all forks.
KILLER = """
import json, os, signal, sys
import dvc.api, dvc.repo
from pathlib import Path
from text_recognizer.core.params import GateSection, PromoteSection
from text_recognizer.release.speed import Speed
from text_recognizer.release.promotion import promote
from text_recognizer.release.git import Git

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
    promote(Path(folder), limits, section, measure=lambda *_: Speed(0.01, 200))
    os._exit(0)
"""


@pytest.fixture
def killed_after(limits, section):
    """Promote in a folder, kill the promotion before git command number `count`, and return its exit status."""
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
        assert sha256(clone.folder / LAYOUT.champion / "reader.json") in models.values()
        # And the command can be repeated, with the same result
        if champion not in repeated or status == 0:
            repeated.add(champion)
            if champion == "v1.0.0":
                assert promote(clone.folder, limits, section, measure=quick).passed
            fetch_champion(clone.folder, section)
            assert clone.champion == "v2.0.0"
            assert sha256(clone.folder / LAYOUT.champion / "reader.json") == models["v2.0.0"]
        shutil.rmtree(clone.folder)
        if status == 0:
            break
    assert status == 0, "a promotion has more steps than STEPS"
    assert seen == sorted(seen)
    assert set(seen) == {"v1.0.0", "v2.0.0"}


@pytest.fixture
def machines(challenged, clone_of, tmp_path):
    """Two clones that share a git remote and a DVC remote. In both, the challenger is committed."""
    bare = tmp_path / "shared.git"
    challenged.git("init", "--quiet", "--bare", "--initial-branch", "main", str(bare))
    challenged.git("remote", "add", "origin", str(bare))
    challenged.git("push", "--quiet", "--tags", "origin", "main")
    # The models, as `dvc push` would have sent them: a remote has the same layout as the cache.
    shutil.copytree(challenged.folder / ".dvc/cache/files", tmp_path / "store" / "files")
    challenged.do("git", "clone", "--quiet", str(bare), str(tmp_path / "other"))
    other = clone_of(tmp_path / "other")
    other.git("config", "user.name", "Bob")
    other.git("config", "user.email", "bob@example.org")
    return challenged, other


@pytest.fixture
def shared(section):
    return section.model_copy(update={"git_remote": "origin"})


def _promote_together(folder, limits, rules, meeting, outcomes):
    """Promote, and wait for the other one on the way."""

    def together(*_):
        meeting.wait()
        return Speed(0.01, 200)

    try:
        outcomes.put(promote(folder, limits, rules, measure=together).passed)
    except ConflictError as error:
        outcomes.put(error.code)


def test_of_two_promotions_at_once_on_two_machines_one_wins_and_both_see_the_same(machines, better, limits, shared):
    one, other = machines
    shutil.copytree(one.folder / LAYOUT.model, other.folder / LAYOUT.model, dirs_exist_ok=True)
    # Given that both have read that v1 is in service, when both promote
    meeting, outcomes = SPAWN.Barrier(2, timeout=90), SPAWN.Queue()
    children = [
        SPAWN.Process(target=_promote_together, args=(clone.folder, limits, shared, meeting, outcomes))
        for clone in machines
    ]
    for child in children:
        child.start()
    results = [outcomes.get(timeout=120) for _ in children]
    for child in children:
        child.join()
    # Then one won, the other got an error, and both see the same
    assert sorted(results, key=str) == [True, ConflictError.code]
    for clone in machines:
        fetch_champion(clone.folder, shared)
        assert clone.champion == "v2.0.0"
        assert sha256(clone.folder / LAYOUT.champion / "reader.json") == better.score["model"]
    # And a rollback on one is a rollback on the other
    rollback(other.folder, shared, "it was worse on our forms")
    assert fetch_champion(one.folder, shared).version == "v1.0.0"


def test_without_its_remote_a_clone_promotes_nothing(machines, limits, shared, quick, tmp_path):
    shutil.rmtree(tmp_path / "shared.git")
    with pytest.raises(RegistryError):
        promote(machines[0].folder, limits, shared, measure=quick)
    assert machines[0].champion == "v1.0.0"


def test_a_clone_with_tags_that_the_remote_does_not_have_is_refused(machines, limits, section, shared, quick):
    promote(machines[0].folder, limits, section, measure=quick)
    with pytest.raises(RegistryError) as caught:
        rollback(machines[0].folder, shared, "why")
    assert "reader#champion#2" in caught.value.what


def test_a_tag_is_made_only_once(challenged):
    # Given two promotions that both read the champion before one of them wrote
    ledger = Ledger(Git(challenged.folder), None)
    champion = ledger.champion()
    version = ledger.version("v1")
    ledger.assign(version, TagRecord(kind="promote"), champion)
    # When the second one writes, then it is refused
    with pytest.raises(ConflictError):
        ledger.assign(version, TagRecord(kind="promote"), champion)


@pytest.mark.parametrize("message", ["by hand", "[]", '{"kind": "sold"}', '{"model": 3}'])
def test_a_tag_without_a_valid_record_stops_every_command(challenged, limits, section, quick, message):
    challenged.git("tag", "--annotate", "reader#champion#2", "--message", message)
    with pytest.raises(RegistryError) as caught:
        promote(challenged.folder, limits, section, measure=quick)
    assert "reader#champion#2" in caught.value.what


def test_a_tag_with_keys_that_are_unknown_today_can_still_be_read(challenged, section):
    # Given a tag as an earlier version wrote it, with keys that this version does not have
    champion = Ledger(Git(challenged.folder), None).champion()
    record = json.loads(champion.record.model_dump_json()) | {"nonce": "1", "colour": "blue"}
    record["verdict"]["mood"] = "good"
    challenged.git("tag", "--annotate", "reader#champion#2", "--message", json.dumps(record), champion.commit)
    # Then it is the champion, with the figures of the record
    tag = Ledger(Git(challenged.folder), None).champion()
    assert (tag.number, tag.version, tag.record.cer) == (2, "v1.0.0", champion.record.cer)
    assert tag.record.verdict == champion.record.verdict
    assert fetch_champion(challenged.folder, section).number == 2
