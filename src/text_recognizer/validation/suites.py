"""The rules for the data as Great Expectations suites: one suite per table and one expectation per rule."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from text_recognizer.core.params import Params, PreprocessSection, ValidateSection
from text_recognizer.pages.feature_grid import MIN_LINE_DISTANCE
from text_recognizer.validation.form_tables import ASPECT_TOLERANCE, MODES

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# The columns that identify a row, by suite. The first is the id of the row.
INDEX = {
    "forms": ["id"],
    "lines": ["id", "form"],
    "writers": ["writer", "forms"],
    "splits": ["split"],
    "drift": ["measure", "value", "reference"],
    "feedback": ["id"],
    "audit": ["id", "form"],
    "crops": ["id", "split"],
    "line_crops": ["id", "split"],
}
# A correction that fails is refused. Only the other suites decide whether the data are valid.
REFUSED = "feedback"
AUDIT = "audit"
# Rows of ink are counted by the peaks of their profile. On 603 forms of IAM no count was off by more than this.
ROWS_TOLERANCE = 1
# A picture may be this many dpi below the minimum: halving a page may drop one pixel of its width.
DPI_TOLERANCE = 1
# Share of the lines that must contain ink. On 603 forms of IAM, 5 of 5,319 lines lie below the edge of the scan: 0.1 %.
LINES_WITH_INK = 0.998
# Characters per width of a line's box, against the usual line of its form. On 890 forms of IAM, one of 7,665 lines of
# at least 12 characters lies below 0.6, and none above 1.7.
MIN_DENSITY, MAX_DENSITY = 0.6, 1.7
LINES_OF_USUAL_DENSITY = 0.995
# Least share of preprocess.dpi. The writing of a paragraph that is scaled down further is smaller than in training.
MIN_SCALE = 0.7
MIN_LINE_HEIGHT = 0.05  # inches: half of the x-height of small writing


@dataclass(frozen=True)
class Rule:
    """One expectation. `kind` is its class in great_expectations.expectations; `wrong` says when a row fails."""

    suite: str
    name: str
    column: str
    kind: str
    wrong: str
    fix: str
    options: dict[str, object] = field(default_factory=dict)

    def arguments(self) -> dict[str, object]:
        """Return the keyword arguments of the expectation."""
        if self.kind == "ExpectColumnPairValuesToBeEqual":
            return self.options
        return {"column": self.column, **self.options}


def rules(params: Params) -> tuple[Rule, ...]:
    """Return all rules for an archive and its corrections."""
    return (
        *_files(), *_labels(params), *_pictures(params), *_rows(), *_lines(params), *_boxes(params), *_splits(params),
        *_drift(params), *_audit(params.validate_), *feedback_rules(params.preprocess, params.validate_.ink_min),
    )  # fmt: skip


def build(name: str, some: tuple[Rule, ...]) -> "ExpectationSuite":
    """Build the suite of one table from its rules."""
    import great_expectations as gx
    import great_expectations.expectations as kinds

    expectations = [
        getattr(kinds, rule.kind)(
            **rule.arguments(),
            meta={"name": rule.name},
            notes=f"**{rule.name}** fails when {rule.wrong}. Fix: {rule.fix}.",
        )
        for rule in some
        if rule.suite == name
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def null(suite: str, name: str, column: str, wrong: str, fix: str) -> Rule:
    """Return the rule that every value of a column is missing."""
    return Rule(suite, name, column, "ExpectColumnValuesToBeNull", wrong, fix)


def between(suite: str, name: str, column: str, wrong: str, fix: str, **bounds: float | bool) -> Rule:
    """Return the rule that the values of a column lie between bounds."""
    return Rule(suite, name, column, "ExpectColumnValuesToBeBetween", wrong, fix, dict(bounds))


def unique(suite: str, name: str, column: str, wrong: str, fix: str) -> Rule:
    """Return the rule that no two values of a column are equal."""
    return Rule(suite, name, column, "ExpectColumnValuesToBeUnique", wrong, fix)


def _files() -> list[Rule]:
    return [
        between("forms", "has_labels", "labels", "a picture has no XML file", "add xml/<id>.xml, or exclude the form",
                 min_value=1),
        between("forms", "has_picture", "pictures", "an XML file has no picture",
                 "add forms/<id>.jpg or .png, or exclude the form", min_value=1),
        between("forms", "one_file_each", "copies", "a form id has two pictures or two XML files", "remove one of them",
                 max_value=1),
        unique("forms", "pictures_differ", "fingerprint", "two form ids have identical picture files",
                "remove or exclude one of them"),
        null("forms", "pages_differ", "same_page", "the pictures of two form ids show the same page",
              "look at both, and remove or exclude one of them"),
        Rule("forms", "form_ids", "id", "ExpectColumnValuesToMatchRegex",
             "a form id does not consist of two parts joined by a dash, so the lists of a split cannot name it",
             "rename its files and its id in the XML, for example to a01-000", {"regex": r"^[^-\s]+-[^-\s]+$"}),
    ]  # fmt: skip


def _labels(params: Params) -> list[Rule]:
    most = params.validate_.max_lines
    return [
        null("forms", "labels_read", "labels_problem", "an XML file cannot be read",
              "correct the XML, or exclude the form"),
        Rule("forms", "id_matches", "labelled_id", "ExpectColumnPairValuesToBeEqual",
             "the form id in an XML file is not the name of the file", "rename the file, or correct the id in the XML",
             {"column_A": "id", "column_B": "labelled_id", "ignore_row_if": "either_value_is_missing"}),
        between("forms", "writer_named", "writer_length", "an XML file names no writer", "fill in writer-id",
                 min_value=1),
        between("forms", "line_count", "lines", f"a form has no line, or more than {most}",
                 "correct the XML, exclude the form, or raise validate.max_lines", min_value=1, max_value=most),
    ]  # fmt: skip


def _pictures(params: Params) -> list[Rule]:
    low, high = params.validate_.ink_min, params.validate_.ink_max
    return [
        null("forms", "picture_opens", "picture_problem", "a picture cannot be read",
              "replace the picture, or exclude the form"),
        Rule("forms", "picture_mode", "mode", "ExpectColumnValuesToBeInSet",
             "the pixels of a picture cannot be converted to 8-bit grey", "save it as 8-bit grey",
             {"value_set": MODES}),
        between("forms", "picture_shape", "aspect", "the aspect ratio of a picture is not that of its XML",
                 "scan the whole page, or correct width and height in the XML",
                 min_value=1 - ASPECT_TOLERANCE, max_value=1 + ASPECT_TOLERANCE),
        between("forms", "resolution", "dpi", f"a picture has less than {params.preprocess.dpi} dpi",
                 "scan it at a higher resolution, or lower preprocess.dpi",
                 min_value=params.preprocess.dpi - DPI_TOLERANCE),
        between("forms", "ink", "ink", f"less than {low:.1%} or more than {high:.1%} of the text region is dark",
                 "look at the picture, and scan a blank or black page again or exclude it",
                 min_value=low, max_value=high),
    ]  # fmt: skip


def _rows() -> list[Rule]:
    return [
        between("forms", "row_count", "extra_rows",
                 "the rows of writing in a picture and the lines in its XML differ by two or more",
                 "compare the lines in the XML with the picture", min_value=-ROWS_TOLERANCE, max_value=ROWS_TOLERANCE),
        null("forms", "rows_in_boxes", "uncovered_rows", "a row of writing in a picture lies in no box of a line",
              "transcribe that row, or correct the boxes"),
    ]  # fmt: skip


def _lines(params: Params) -> list[Rule]:
    return [
        unique("lines", "line_ids_unique", "id", "two lines have the same id", "number the lines of the XML again"),
        null("lines", "line_ids", "foreign_id", "the id of a line does not begin with the id of its form",
              "number the lines of the XML again; it may contain the labels of another form"),
        between("lines", "text_present", "characters", "a line has no text",
                 "transcribe the line, or exclude its form", min_value=1),
        null("lines", "text_in_charset", "unknown", "a line has characters outside the charset",
              "correct the transcription, map the character in core/charset.py, or exclude the form"),
        between("lines", "text_density", "density",
                 "a line has far fewer or more characters for the width of its box than the other lines of its form",
                 "compare its text with the picture: a part of it may be missing, or belong to another line",
                 min_value=MIN_DENSITY, max_value=MAX_DENSITY, mostly=LINES_OF_USUAL_DENSITY),
        *_fits(params.preprocess, "lines", "line_fits", "a line",
               "raise preprocess.canvas_width (and dpi) to suit these forms, or exclude the form",
               "correct its text or its box; if many lines fail, raise preprocess.dpi"),
    ]  # fmt: skip


def _fits(section: PreprocessSection, suite: str, name: str, line: str, on_canvas: str, in_box: str) -> list[Rule]:
    """Return the rules that CTC can decode a line from the width of the canvas and from that of its box."""
    wide = f"a canvas of {section.canvas_width} px"
    return [
        between(suite, f"{name}_{place}", column, f"{line} has more characters than CTC can decode from {where}", fix,
                min_value=0)
        for place, column, where, fix in (("canvas", "spare_on_canvas", wide, on_canvas),
                                          ("box", "spare_in_box", "the width of its box", in_box))
    ]  # fmt: skip


def _boxes(params: Params) -> list[Rule]:
    return [
        Rule("lines", "box_present", "box", "ExpectColumnValuesToNotBeNull", "a line has no box",
             "add a cmp with x, y, width and height, or exclude the form"),
        null("lines", "box_inside", "outside", "the box of a line extends beyond its page, or is empty",
              "correct the box, or exclude the form"),
        between("lines", "reading_order", "step", "a line does not lie below the previous line",
                 "sort the lines of the XML from top to bottom", min_value=0, strict_min=True),
        between("lines", "line_inked", "ink", "the box of a line contains no writing",
                 "correct the box, remove the line from the XML, or exclude the form",
                 min_value=params.validate_.ink_min, mostly=LINES_WITH_INK),
    ]  # fmt: skip


def _splits(params: Params) -> list[Rule]:
    fewest, lists = params.validate_.min_forms, f"the split ({params.data.split_names})"
    out = [
        between("splits", "split_filled", "forms", f"a split has fewer than {fewest} forms",
                 f"add forms, correct {lists}, choose another split in data.sources, or lower validate.min_forms",
                 min_value=fewest),
        between("forms", "one_split", "memberships", "a form is in two splits",
                 f"remove it from one of {lists}", max_value=1),
    ]  # fmt: skip
    if params.validate_.disjoint_writers:
        out.append(
            between("writers", "disjoint_writers", "splits", "a writer is in two splits, which inflates the score",
                     f"correct {lists}, exclude the forms, or set validate.disjoint_writers to false", max_value=1)
        )  # fmt: skip
    return out


def _drift(params: Params) -> list[Rule]:
    most, change = params.validate_.max_drift, params.validate_.max_change
    fix = "look at what changed; if that is intended, raise the limit or remove reports/accepted.json"
    return [
        between("drift", "character_drift", "mix", f"the shares of the characters differ by more than {most:.0%}",
                 fix.replace("the limit", "validate.max_drift"), max_value=most),
        between("drift", "label_drift", "change", f"a measure of the labels changed by more than {change:.0%}",
                 fix.replace("the limit", "validate.max_change"), max_value=change),
    ]  # fmt: skip


def _audit(section: ValidateSection) -> list[Rule]:
    return [
        between(AUDIT, "text_agrees", "excess", "the text of a line is not what a reader finds in its picture",
                 "look at audit.html: correct the text or the box, exclude the form, or leave such lines out with "
                 "validate.audit: leave_out", max_value=section.audit_margin, mostly=1 - section.max_disagreeing),
    ]  # fmt: skip


def feedback_rules(section: PreprocessSection, ink_min: float) -> list[Rule]:
    """Return the rules for corrections that are packed by this section; `ink_min` is `validate.ink_min`."""
    size = f"{section.canvas_width} x {section.canvas_height} px at {section.dpi} dpi"
    return [
        null("feedback", "correction_read", "problem", "a correction cannot be read", "correct or remove its files"),
        null("feedback", "correction_text", "no_text", "a corrected line has no text", "type it, or remove the line"),
        null("feedback", "correction_charset", "unknown", "every line has characters outside the charset",
              "replace them by characters of the charset"),
        null("feedback", "correction_inside", "outside", "the box of a corrected line extends beyond its picture",
              "move the box"),
        null("feedback", "correction_order", "order", "corrected lines are not sorted from top to bottom",
              "sort them"),
        between("feedback", "correction_apart", "line_distance",
                 f"two corrected lines are nearer than {MIN_LINE_DISTANCE} inches, so they are hardly two",
                 "correct the boxes: a box is as high as its line; or give the resolution of the picture as dpi",
                 min_value=MIN_LINE_DISTANCE),
        between("feedback", "correction_height", "height",
                 f"the box of a corrected line is less than {MIN_LINE_HEIGHT} inches high",
                 "correct the boxes: a box is as high as its line; or give the resolution of the picture as dpi",
                 min_value=MIN_LINE_HEIGHT),
        between("feedback", "correction_fits_page", "scale",
                 f"the corrected page is too large for a canvas of {size}, by which the pipeline trains",
                 "raise preprocess.canvas_height and canvas_width, or lower preprocess.dpi", min_value=MIN_SCALE),
        *_fits(section, "feedback", "correction_fits", "a corrected line",
               "break the line where the page does, or raise preprocess.canvas_width",
               "widen the box, or correct its text or the dpi"),
        between("feedback", "correction_inked", "ink", "the box of a corrected line contains no writing",
                 "move the box", min_value=ink_min),
        null("feedback", "correction_last", "repeats", "the same page was corrected again later",
              "nothing to do: the later one counts"),
        null("feedback", "correction_held_out", "held_out", "a correction shows a page that the score is measured on",
              "nothing to do: training on it would inflate the score"),
    ]  # fmt: skip
