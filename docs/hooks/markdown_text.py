"""Write pieces of Markdown: tables, and links that lead to pages of the site."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pymdownx.slugs import slugify

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")

FILE_NAME = re.compile(r"[\w/-]+\.md")


@dataclass(frozen=True)
class Site:
    """The folder of the documents, and the pages of files outside it: `pages` has the place of each below `docs`."""

    docs: Path
    pages: Mapping[str, str]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; none without rows."""
    lines = [_row(cells) for cells in rows]
    return "\n".join([_row(head), "|" + "---|" * len(head), *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |"


def heading(docs: Path, target: str) -> str:
    """Return the text of the heading that a link such as `data.md#formats` leads to; without an anchor, the first.

    If there is none, return the target: MkDocs then says that the link leads nowhere.
    """
    name, _, anchor = target.partition("#")
    text = (docs / name).read_text(encoding="utf-8") if (docs / name).is_file() else ""
    slug = slugify(case="lower")
    headings: list[str] = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return next((head for head in headings if anchor in ("", slug(head, "-"))), target)


def relink(text: str, source: str, place: str, site: Site) -> str:
    """Return `text` with links for the site: they lead to its pages, and are called as these, not as their files.

    `source` is the file of the text in the project, and `place` its page below docs/. A link to a file that the site
    does not have becomes its text.
    """

    def lead(found: re.Match[str]) -> str:
        label, target, anchor = found[1], found[2], found[3] or ""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not file.startswith("docs/") and file not in site.pages:
            return label
        page = site.pages.get(file, file.removeprefix("docs/"))
        if FILE_NAME.fullmatch(label):
            label = heading(site.docs, page + anchor)
        return f"[{label}]({posixpath.relpath(page, posixpath.dirname(place) or '.')}{anchor})"

    return LINK.sub(lead, text)
