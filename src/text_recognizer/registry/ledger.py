"""Versions and champions as git tags, in GTO's form: `reader@v3.0.0` a version, `reader#champion#5` the fifth champion.

A tag is made once and never moved. Whoever makes the next number first has promoted, and nobody else can: git lets one
tag of a name exist. Each tag's message is a JSON record of what was decided, and why.
"""

import datetime
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from text_recognizer.registry.git import NOTHING, Git, RegistryError, TakenError

NAME, STAGE = "reader", "champion"
VERSION = re.compile(rf"{NAME}@(v(\d+)\.0\.0)")
ASSIGNMENT = re.compile(rf"{NAME}#{STAGE}#(\d+)")
PATTERNS = (f"refs/tags/{NAME}@v*", f"refs/tags/{NAME}#{STAGE}#*")
Record = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One tag: `number` is the version's or the assignment's; `when` is ISO 8601, UTC."""

    tag: str
    number: int
    commit: str
    when: str
    who: str
    record: Record

    @property
    def version(self) -> str:
        return self.tag.partition("@")[2] or str(self.record.get("version"))


class Ledger:
    """The registry of one clone, or of the git remote that several clones share."""

    def __init__(self, git: Git, remote: str | None) -> None:
        self.git, self.remote = git, remote

    def refresh(self) -> None:
        """Brings the remote's tags here. Raises RegistryError where it cannot be asked, or this clone has others."""
        if not self.remote:
            return
        self.git.run("fetch", "--quiet", "--no-tags", self.remote, *(f"+{pattern}:{pattern}" for pattern in PATTERNS))
        listed = self.git.run("ls-remote", self.remote, *PATTERNS)
        there = {line.split("\t")[1].removesuffix("^{}") for line in listed.splitlines()}
        own = set(self.git.run("for-each-ref", "--format=%(refname)", *self._spaces()).splitlines()) - there
        if own:
            tags = ", ".join(sorted(ref.removeprefix("refs/tags/") for ref in own))
            raise RegistryError(
                f"this clone has promotions that {self.remote} does not know: {tags}",
                f"delete them (git tag --delete ...), or push them if {self.remote} has none at all",
            )

    def versions(self) -> list[Entry]:
        """Every version, oldest first."""
        return self._entries(VERSION, 2)

    def assignments(self) -> list[Entry]:
        """Every champion there was, the one in service last."""
        return self._entries(ASSIGNMENT, 1)

    def champion(self) -> Entry | None:
        """Who is in service. Raises RegistryError where a tag cannot be read: then there is nobody to compare with."""
        assigned = self.assignments()
        return assigned[-1] if assigned else None

    def version(self, name: str) -> Entry:
        """The version of a name such as v3.0.0 (v3 will do). Raises RegistryError where there is none."""
        for entry in self.versions():
            if name in (entry.version, f"v{entry.number}"):
                return entry
        known = ", ".join(entry.version for entry in self.versions()) or "none yet"
        raise RegistryError(f"there is no version {name!r}", f"versions: {known}")

    def register(self, commit: str, record: Record) -> Entry:
        """A new version of this commit, or the one that its model has already."""
        while True:
            versions = self.versions()
            for entry in versions:
                if entry.record.get("model") == record["model"] and entry.record.get("data") == record["data"]:
                    return entry
            number = max((entry.number for entry in versions), default=0) + 1
            try:
                return self._claim(f"{NAME}@v{number}.0.0", number, commit, record)
            except TakenError:
                self.refresh()

    def assign(self, version: Entry, record: Record, after: Entry | None) -> Entry:
        """Puts a version in service after `after`. Raises TakenError where somebody else was put there meanwhile."""
        number = (after.number if after else 0) + 1
        return self._claim(f"{NAME}#{STAGE}#{number}", number, version.commit, {**record, "version": version.version})

    def _claim(self, tag: str, number: int, commit: str, record: Record) -> Entry:
        """Makes a tag that must not exist: one step, on the remote where there is one, else here."""
        who, address = self.git.identity()
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        # Two promotions that are alike to the second must still be two: equal tags would both be welcome.
        body = json.dumps({**record, "nonce": secrets.token_hex(8)}, sort_keys=True, ensure_ascii=False)
        head = f"object {commit}\ntype commit\ntag {tag}\ntagger {who} <{address}> {int(now.timestamp())} +0000\n\n"
        made = self.git.run("mktag", text=f"{head}{body}\n")
        ref = f"refs/tags/{tag}"
        if self.remote:
            self._push(made, ref)
            self.git.run("update-ref", ref, made)
        elif not self.git.holds("update-ref", ref, made, NOTHING):
            raise TakenError(f"{tag} was made by another promotion meanwhile", "look at `text-recognizer models`")
        return Entry(tag, number, commit, now.isoformat(), who, record)

    def _push(self, made: str, ref: str) -> None:
        assert self.remote
        try:
            self.git.run("push", "--quiet", self.remote, f"{made}:{ref}")
        except RegistryError:
            if self.git.run("ls-remote", self.remote, ref):
                raise TakenError(
                    f"another promotion was first: {self.remote} has {ref.removeprefix('refs/tags/')} already",
                    "look at `text-recognizer models`, then repeat the command",
                ) from None
            raise

    def _entries(self, pattern: re.Pattern[str], group: int) -> list[Entry]:
        fields = ("refname:strip=2", "*objectname", "taggerdate:iso-strict", "taggername", "contents")
        form = "%1f".join(f"%({field})" for field in fields) + "%1e"
        listed = self.git.run("for-each-ref", f"--format={form}", *self._spaces())
        entries = []
        for row in filter(None, (part.strip("\n") for part in listed.split("\x1e"))):
            tag, commit, when, who, content = row.split("\x1f")
            if match := pattern.fullmatch(tag):
                entries.append(Entry(tag, int(match[group]), commit, when, who, _record(tag, content)))
        return sorted(entries, key=lambda entry: entry.number)

    def _spaces(self) -> list[str]:
        return list(PATTERNS)


def _record(tag: str, content: str) -> Record:
    try:
        record = json.loads(content)
        if not isinstance(record, dict):
            raise ValueError("it is no table")
    except ValueError as error:
        raise RegistryError(
            f"the tag {tag} holds no record of a promotion: {error}", f"find out who made it; git show '{tag}' shows it"
        ) from None
    return record
