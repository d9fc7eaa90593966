"""The whole sample as one zip in IAM's layout: the same bytes on any number of workers."""

import zipfile
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from text_recognizer.config import SyntheticSection
from text_recognizer.data.synthetic.plan import WriterPlan, plan
from text_recognizer.data.synthetic.sheet import Sheet, sheet_of
from text_recognizer.data.synthetic.strokes import read_asset
from text_recognizer.files import replacing
from text_recognizer.workers import in_processes

if TYPE_CHECKING:
    from text_recognizer.data.synthetic.form import DrawnForm

TOP = "iamdb"
PARTS = ("trainset", "validationset1", "validationset2", "testset")
LICENCES = ("LICENSES.md", "OFL.txt", "Apache-2.0.txt")
# Zip's earliest date: the archive must not change with the day it is written on.
DATE = (1980, 1, 1, 0, 0, 0)
README = """\
Synthetic handwritten forms in the layout of the IAM Handwriting Database. No person wrote them and nothing of IAM is
in here: a program drew public-domain sentences (Carroll 1865; Grimm and Andersen in old translations) and made-up ones
with pen strokes. Call what is measured on them synthetic. Where the strokes come from, and their licences, follows.
"""


@dataclass(frozen=True)
class FormFiles:
    """What one form adds to the archive. `lines` are the line ids."""

    id: str
    part: str
    png: bytes
    xml: bytes
    lines: tuple[str, ...]
    rows: dict[str, list[str]]


def write_corpus(section: SyntheticSection, out: Path) -> None:
    """Writes the zip `out`: a function of the section, save for `workers`.

    Pixels may also differ between versions of numpy, OpenCV and Pillow; text and splits do not.

    Raises ConfigError before anything is drawn where the page cannot hold its lines, DataError where the package's
    strokes or sentences are missing.
    """
    sheet_of(section)
    writers = plan(section)
    notice = "\n\n".join([README, *(read_asset(name).read_text(encoding="utf-8") for name in LICENCES)])
    read_asset("sentences.txt")
    forms = sum(len(writer.forms) for writer in writers)
    with replacing(out) as draft, zipfile.ZipFile(draft, "w") as archive:
        _add(archive, "README.txt", notice.encode(), zipfile.ZIP_DEFLATED)
        with tqdm(total=forms, desc="draw", unit="form") as bar, closing(_drawn(writers, section)) as drawn:
            tables = _add_forms(archive, drawn, bar)
        for name, rows in sorted(tables.items()):
            _add(archive, name, "".join(f"{row}\n" for row in rows).encode(), zipfile.ZIP_DEFLATED)


def _add_forms(archive: zipfile.ZipFile, forms: Iterable[FormFiles], bar: tqdm) -> dict[str, list[str]]:
    """Adds each form as it comes; returns the lines of the tables by their names."""
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


def _drawn(writers: tuple[WriterPlan, ...], section: SyntheticSection) -> Generator[FormFiles, None, None]:
    """Every form in order, drawn writer by writer."""
    with closing(in_processes(partial(draw_writer, section), writers, "synthetic.workers", section.workers)) as drawn:
        for forms in drawn:
            yield from forms


def draw_writer(section: SyntheticSection, writer_plan: WriterPlan) -> list[FormFiles]:
    """All forms of one writer, drawn."""
    import cv2

    from text_recognizer.data.synthetic.form import draw_form
    from text_recognizer.data.synthetic.writer import Writer

    cv2.setNumThreads(1)
    sheet = sheet_of(section)
    writer = Writer(writer_plan, section.seed, section.dpi)
    lines = (section.lines_min, section.lines_max)
    forms = (draw_form(writer, writer_plan, number, section.seed, sheet, lines) for number in writer_plan.forms)
    return [_files(form, sheet) for form in forms]


def _files(form: "DrawnForm", sheet: Sheet) -> FormFiles:
    from text_recognizer.data.synthetic.paper import encode_png
    from text_recognizer.data.synthetic.records import form_row, line_ids, line_rows, to_xml, word_rows

    rows = {"forms": [form_row(form)], "lines": line_rows(form), "words": word_rows(form)}
    return FormFiles(form.id, form.part, encode_png(form.picture), to_xml(form, sheet), line_ids(form), rows)
