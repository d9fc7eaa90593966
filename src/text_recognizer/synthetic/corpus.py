"""The synthetic forms as one zip in IAM's layout. The bytes do not depend on the number of workers."""

import zipfile
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from text_recognizer.core.params import SyntheticSection
from text_recognizer.synthetic.plan import WriterPlan, plan
from text_recognizer.synthetic.sheet import Sheet, make_sheet
from text_recognizer.synthetic.strokes import asset_path
from text_recognizer.utils.files import replace_atomically
from text_recognizer.utils.workers import map_in_processes

if TYPE_CHECKING:
    from text_recognizer.synthetic.form import SyntheticForm

TOP = "iamdb"
PARTS = ("trainset", "validationset1", "validationset2", "testset")
LICENCES = ("LICENSES.md", "OFL.txt", "Apache-2.0.txt")
# The earliest date that a zip can hold. With the real date, every day would give another archive.
DATE = (1980, 1, 1, 0, 0, 0)
# Part of the archive, so every change of this text changes the archive's digest.
README = """\
Synthetic handwritten forms in the layout of the IAM Handwriting Database. No person wrote them and nothing of IAM is
in here: a program drew public-domain sentences (Carroll 1865; Grimm and Andersen in old translations) and made-up ones
with pen strokes. Call what is measured on them synthetic. Where the strokes come from, and their licences, follows.
"""


@dataclass(frozen=True)
class FormFiles:
    """What one form adds to the archive: its files, its line ids, and its rows of IAM's tables by table name."""

    id: str
    part: str
    png: bytes
    xml: bytes
    lines: tuple[str, ...]
    rows: dict[str, list[str]]


def write_corpus(section: SyntheticSection, out: Path, workers: int = 0) -> None:
    """Write the zip `out` with `workers` processes; 0 means one per core.

    The contents are a function of the section alone. Pixels may differ between versions of numpy, OpenCV and Pillow;
    texts and splits do not.

    Raises ConfigError before drawing if the page is too low for its lines, and DataError if the package lacks its
    strokes or sentences.
    """
    make_sheet(section)
    writers = plan(section)
    notice = "\n\n".join([README, *(asset_path(name).read_text(encoding="utf-8") for name in LICENCES)])
    asset_path("sentences.txt")
    total = sum(len(writer.forms) for writer in writers)
    with replace_atomically(out) as draft, zipfile.ZipFile(draft, "w") as archive:
        _add(archive, "README.txt", notice.encode(), zipfile.ZIP_DEFLATED)
        with tqdm(total=total, desc="draw", unit="form") as bar, closing(_draw_all(writers, section, workers)) as forms:
            tables = _add_forms(archive, forms, bar)
        for name, rows in sorted(tables.items()):
            _add(archive, name, "".join(f"{row}\n" for row in rows).encode(), zipfile.ZIP_DEFLATED)


def _add_forms(archive: zipfile.ZipFile, forms: Iterable[FormFiles], bar: "tqdm[Any]") -> dict[str, list[str]]:
    """Add each form as soon as it is drawn. Return the rows of IAM's tables by file name."""
    tables = {f"ascii/{name}.txt": [f"#--- {name}.txt: synthetic ---#"] for name in ("forms", "lines", "words")}
    tables |= {f"task/{part}.txt": [] for part in PARTS}
    for form in forms:
        _add(archive, f"forms/{form.id}.png", form.png, zipfile.ZIP_STORED)
        _add(archive, f"xml/{form.id}.xml", form.xml, zipfile.ZIP_DEFLATED)
        for name, rows in form.rows.items():
            tables[f"ascii/{name}.txt"] += rows
        tables[f"task/{form.part}.txt"] += form.lines
        bar.update()
    return tables


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    member = zipfile.ZipInfo(f"{TOP}/{name}", DATE)
    member.compress_type, member.create_system, member.external_attr = method, 3, 0o644 << 16
    archive.writestr(member, content)


def _draw_all(
    writers: tuple[WriterPlan, ...], section: SyntheticSection, workers: int
) -> Generator[FormFiles, None, None]:
    """Yield every form in order. One task draws all forms of one writer."""
    with closing(map_in_processes(partial(draw_writer, section), writers, "runtime.workers", workers)) as drawn:
        for forms in drawn:
            yield from forms


def draw_writer(section: SyntheticSection, writer_plan: WriterPlan) -> list[FormFiles]:
    """Draw all forms of one writer."""
    import cv2

    from text_recognizer.synthetic.form import FormRecipe, draw_form
    from text_recognizer.synthetic.writer import Writer

    cv2.setNumThreads(1)
    writer = Writer(writer_plan, section.seed, section.dpi)
    recipe = FormRecipe(make_sheet(section), section.seed, (section.lines_min, section.lines_max))
    return [_to_files(draw_form(writer, writer_plan, number, recipe), recipe.sheet) for number in writer_plan.forms]


def _to_files(form: "SyntheticForm", sheet: Sheet) -> FormFiles:
    from text_recognizer.synthetic.iam_records import form_row, line_ids, line_rows, to_xml, word_rows
    from text_recognizer.synthetic.paper import encode_png

    rows = {"forms": [form_row(form)], "lines": line_rows(form), "words": word_rows(form)}
    return FormFiles(form.id, form.part, encode_png(form.picture), to_xml(form, sheet), line_ids(form), rows)
