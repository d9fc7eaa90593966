"""What MkDocs calls while it builds the site: generated references, and pages from files outside docs/.

A page has a comment where the generated part goes: `<!-- generated: params -->`.
"""

import re
from pathlib import Path

from command_reference import commands
from error_reference import command_errors, http_errors
from http_reference import http
from markdown_text import Site, relink
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from params_reference import params
from python_reference import python

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    "commands": commands,
    "command-errors": command_errors,
    "http": http,
    "http-errors": http_errors,
    "params": params,
    "python": python,
}
MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)
SITE = Site(ROOT / "docs", {"CONTRIBUTING.md": "contributing.md", "models/pretrained/MODEL_CARD.md": "model-card.md"})


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages from files outside docs/."""
    for name, place in SITE.pages.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=relink(text, name, place, SITE)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Put in the generated parts, and lead the links that leave docs/."""
    place = page.file.src_uri
    if place not in SITE.pages.values():
        markdown = relink(markdown, f"docs/{place}", place, SITE)
    return MARK.sub(lambda mark: GENERATED[mark[1]](ROOT), markdown)
