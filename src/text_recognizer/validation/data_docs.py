"""Write the Data Docs: the pages of Great Expectations in templates of this project, so that they work offline.

The stock templates load styles, scripts, icons and a logo from five hosts. These need one stylesheet and no script.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.utils.files import replace_atomically
from text_recognizer.validation.suites import Rule, build
from text_recognizer.validation.thumbnails import Pictures, file_name

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.view import DefaultJinjaPageView

    from text_recognizer.core.schemas import ValidationSummary
    from text_recognizer.validation.crop_validation import CropSummary
    from text_recognizer.validation.suite_runner import Results

ASSETS = Path(__file__).parent / "assets"
STYLE, PICTURES = "style.css", "pictures"
STOCK = "render/view/templates"


@dataclass(frozen=True)
class SiteFiles:
    """What a site has beside the pages of its suites: pictures of failing rows, and files by their names in the site.

    Files that are pages are linked from the index.
    """

    pictures: Pictures
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def pages(self) -> list[str]:
        """The names of the files that are pages, without their suffix."""
        return [Path(name).stem for name in self.files if name.endswith(".html")]


def write(
    folder: Path,
    summary: "ValidationSummary | CropSummary",
    rules: tuple[Rule, ...],
    results: "Results",
    beside: SiteFiles | None = None,
) -> None:
    """Replace `folder` by index.html, two pages per suite, the stylesheet and what stands beside them.

    On failure the previous site is kept.
    """
    beside = beside or SiteFiles({})
    view, names = _view(), {key: file_name(*key) for key in beside.pictures}
    with replace_atomically(folder) as draft:
        (draft / PICTURES).mkdir(parents=True)
        (draft / STYLE).write_bytes((ASSETS / STYLE).read_bytes())
        (draft / "index.html").write_text(_index(summary, list(results), names, beside.pages), encoding="utf-8")
        for name, result in results.items():
            (draft / f"{name}.html").write_text(_results_page(view, name, result), encoding="utf-8")
            (draft / f"{name}_suite.html").write_text(_suite_page(view, name, rules), encoding="utf-8")
        for key, content in beside.pictures.items():
            (draft / PICTURES / names[key]).write_bytes(content)
        for name, content in beside.files.items():
            (draft / name).write_bytes(content)


def _index(
    summary: "ValidationSummary | CropSummary",
    suites: list[str],
    pictures: dict[tuple[str, str], str],
    pages: Sequence[str],
) -> str:
    shown = {key: f"{PICTURES}/{name}" for key, name in pictures.items()}
    return render("index.j2", summary=summary, suites=suites, pictures=shown, pages=pages)


def render(template: str, **values: object) -> str:
    """Fill in a template of this project."""
    from jinja2 import Environment, FileSystemLoader

    pages = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return pages.get_template(template).render(**values)


def _results_page(view: "DefaultJinjaPageView", name: str, result: "ExpectationSuiteValidationResult") -> str:
    """Render the results of a suite without times and run ids, so that the same data give the same page."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    result.meta = {
        "great_expectations_version": result.meta["great_expectations_version"],
        "batch_kwargs": {"data_asset_name": name},
    }
    page = str(view.render(ValidationResultsPageRenderer().render(result), title=f"Results: {name}"))
    # The renderer links to the folders of the stock site. This site has none.
    return page.replace(f"../../../../expectations/{name}.html", f"{name}_suite.html")


def _suite_page(view: "DefaultJinjaPageView", name: str, rules: tuple[Rule, ...]) -> str:
    from great_expectations.render.renderer.page_renderer import ExpectationSuitePageRenderer

    return str(view.render(ExpectationSuitePageRenderer().render(build(name, rules)), title=f"Expectations: {name}"))


def _view() -> "DefaultJinjaPageView":
    """Return the view of Great Expectations with page.j2 and collapse.j2 of this project."""
    from great_expectations.render.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader

    view = DefaultJinjaPageView()
    # The stock loader searches custom folders last, so they could not replace a template.
    view.env.loader = ChoiceLoader([FileSystemLoader(ASSETS), PackageLoader("great_expectations", STOCK)])
    view.env.filters["render_content_block"] = _escaping(view.render_content_block)
    return view


def _escaping(render: Callable[..., object]) -> Callable[..., object]:
    """Wrap `render` so that plain strings are escaped. Great Expectations does not escape the values of tables."""
    from jinja2 import pass_context

    @pass_context
    def escaped(context: object, block: object, *arguments: object, **options: object) -> object:
        if isinstance(block, str):
            return html.escape(block, quote=False)
        if isinstance(block, list):
            block = [html.escape(item, quote=False) if isinstance(item, str) else item for item in block]
        return render(context, block, *arguments, **options)

    return escaped
