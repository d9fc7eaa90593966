"""The page of the Data Docs about lines whose text and picture disagree."""

from collections import Counter
from collections.abc import Sequence

from text_recognizer.core.params import ValidateSection
from text_recognizer.validation.data_docs import render
from text_recognizer.validation.label_audit import AuditedLine, disagreeing

MAX_ROWS, MAX_PICTURES, MAX_PAGES = 400, 120, 100


def site_files(lines: Sequence[AuditedLine], section: ValidateSection) -> dict[str, bytes]:
    """Return the page and the pictures of its lines by their names in the site; nothing if nothing was audited."""
    if not lines:
        return {}
    bad = disagreeing(lines, section)
    names = {line.id: f"pictures/audit-{number}.jpg" for number, line in enumerate(bad[:MAX_PICTURES]) if line.picture}
    of_form, bad_of_form = Counter(line.form for line in lines), Counter(line.form for line in bad)
    pages = sorted(bad_of_form, key=lambda form: (-bad_of_form[form] / of_form[form], -bad_of_form[form], form))
    html = render(
        "audit.j2",
        count=len(lines),
        bad=len(bad),
        pages=[(form, bad_of_form[form], of_form[form]) for form in pages[:MAX_PAGES]],
        rows=[(line, names.get(line.id, "")) for line in bad[:MAX_ROWS]],
        leave_out=section.audit == "leave_out",
    )
    return {"audit.html": html.encode(), **{names[line.id]: line.picture for line in bad if line.id in names}}
