"""Store versions and assignments as git tags in GTO's format.

`reader@v3.0.0` is a version of the model, `corpus@v2.0.0` one of the data; `reader#champion#5` is the fifth assignment
of a version to service. A tag is made once and never moved. Two promotions at once try to make the same tag; git lets
only one of them. The message of a tag is a `TagRecord` in JSON: what was decided, and why.
"""

import datetime
import json
import re
import secrets
from dataclasses import dataclass

from pydantic import ValidationError

from text_recognizer.core.schemas import TagRecord
from text_recognizer.release.git import MUST_NOT_EXIST, ConflictError, Git, RegistryError

READER, CORPUS, STAGE = "reader", "corpus", "champion"
FIELD_END, TAG_END = "\x1f", "\x1e"


@dataclass(frozen=True)
class RegistryTag:
    """One tag: `number` is that of the version or of the assignment; `when` is ISO 8601, UTC."""

    tag: str
    number: int
    commit: str
    when: str
    who: str
    record: TagRecord

    @property
    def version(self) -> str:
        """The name of the version, such as v3.0.0."""
        return self.tag.partition("@")[2] or str(self.record.version)


class Ledger:
    """The registry of one clone, or of the git remote that several clones share. `name` is what has versions."""

    def __init__(self, git: Git, remote: str | None, name: str = READER) -> None:
        self.git, self.remote, self.name = git, remote, name
        self._patterns = (f"refs/tags/{name}@v*", f"refs/tags/{name}#{STAGE}#*")

    def refresh(self) -> None:
        """Fetch the remote's tags. Raises RegistryError if that fails, or if this clone has tags of its own."""
        if not self.remote:
            return
        wanted = (f"+{pattern}:{pattern}" for pattern in self._patterns)
        self.git.run("fetch", "--quiet", "--no-tags", self.remote, *wanted)
        listed = self.git.run("ls-remote", self.remote, *self._patterns)
        shared = {line.split("\t")[1].removesuffix("^{}") for line in listed.splitlines()}
        local = set(self.git.run("for-each-ref", "--format=%(refname)", *self._patterns).splitlines()) - shared
        if local:
            tags = ", ".join(sorted(ref.removeprefix("refs/tags/") for ref in local))
            raise RegistryError(
                f"this clone has tags that {self.remote} does not have: {tags}",
                f"delete them (git tag --delete ...), or push them if {self.remote} has none at all",
            )

    def versions(self) -> list[RegistryTag]:
        """Return every version, oldest first."""
        return self._tags(rf"{self.name}@v(\d+)\.0\.0")

    def assignments(self) -> list[RegistryTag]:
        """Return every assignment, oldest first: the last one names the version in service."""
        return self._tags(rf"{self.name}#{STAGE}#(\d+)")

    def champion(self) -> RegistryTag | None:
        """Return the last assignment. Raises RegistryError if a tag cannot be read."""
        assigned = self.assignments()
        return assigned[-1] if assigned else None

    def version(self, name: str) -> RegistryTag:
        """Return the version of a name such as v3.0.0 or v3. Raises RegistryError if there is none."""
        versions = self.versions()
        for tag in versions:
            if name in (tag.version, f"v{tag.number}"):
                return tag
        known = ", ".join(tag.version for tag in versions) or "none yet"
        raise RegistryError(f"there is no version {name!r}", f"name one of these versions: {known}")

    def register(self, commit: str, record: TagRecord) -> RegistryTag:
        """Make a version of this commit; return the existing one if the same model on the same data has one."""
        while True:
            versions = self.versions()
            for tag in versions:
                if (tag.record.model, tag.record.data) == (record.model, record.data):
                    return tag
            number = max((tag.number for tag in versions), default=0) + 1
            try:
                return self._make(f"{self.name}@v{number}.0.0", number, commit, record)
            except ConflictError:
                self.refresh()

    def assign(self, version: RegistryTag, record: TagRecord, after: RegistryTag | None) -> RegistryTag:
        """Put a version in service after the assignment `after`. Raises ConflictError if another one came between."""
        number = (after.number if after else 0) + 1
        record = record.model_copy(update={"version": version.version})
        return self._make(f"{self.name}#{STAGE}#{number}", number, version.commit, record)

    def _make(self, tag: str, number: int, commit: str, record: TagRecord) -> RegistryTag:
        """Make a tag that must not exist, in one step: on the remote if there is one, else in this clone."""
        who, address = self.git.identity()
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        head = f"object {commit}\ntype commit\ntag {tag}\ntagger {who} <{address}> {int(now.timestamp())} +0000\n\n"
        made = self.git.run("mktag", text=f"{head}{_message(record)}\n")
        ref = f"refs/tags/{tag}"
        if self.remote:
            self._push(self.remote, made, ref)
            self.git.run("update-ref", ref, made)
        elif not self.git.succeeds("update-ref", ref, made, MUST_NOT_EXIST):
            raise ConflictError(f"another promotion made the tag {tag} first", "look at `text-recognizer models`")
        return RegistryTag(tag, number, commit, now.isoformat(), who, record)

    def _push(self, remote: str, made: str, ref: str) -> None:
        try:
            self.git.run("push", "--quiet", remote, f"{made}:{ref}")
        except RegistryError:
            if self.git.run("ls-remote", remote, ref):
                raise ConflictError(
                    f"another promotion was first: {remote} already has {ref.removeprefix('refs/tags/')}",
                    "look at `text-recognizer models`, then repeat the command",
                ) from None
            raise

    def _tags(self, pattern: str) -> list[RegistryTag]:
        """Return the tags whose names match; the pattern's group is the number."""
        fields = ("refname:strip=2", "*objectname", "taggerdate:iso-strict", "taggername", "contents")
        form = "%1f".join(f"%({field})" for field in fields) + "%1e"
        listed = self.git.run("for-each-ref", f"--format={form}", *self._patterns)
        tags = []
        for row in filter(None, (part.strip("\n") for part in listed.split(TAG_END))):
            tag, commit, when, who, content = row.split(FIELD_END)
            if match := re.fullmatch(pattern, tag):
                tags.append(RegistryTag(tag, int(match[1]), commit, when, who, _parse(tag, content)))
        return sorted(tags, key=lambda tag: tag.number)


def _message(record: TagRecord) -> str:
    """Return the record as JSON with a nonce.

    Without the nonce, two equal promotions in one second would make the same tag object, and git would accept both.
    """
    content = record.model_dump(mode="json", exclude_none=True) | {"nonce": secrets.token_hex(8)}
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _parse(tag: str, content: str) -> TagRecord:
    """Return the record in a tag's message. Keys that other versions of this program wrote are ignored."""
    try:
        return TagRecord.model_validate_json(content, extra="ignore")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the message"
        raise RegistryError(
            f"the tag {tag} has no valid record of a promotion: {where}: {first['msg']}",
            f"find out who made it: git show '{tag}'",
        ) from None
