"""The rules, as Great Expectations suites: one suite per table, one expectation per rule, each with its remedy."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from text_recognizer.config import Params
from text_recognizer.validation.reading import ASPECT_TOLERANCE, MODES

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# The columns that name a row, by suite. The first is the row's id.
INDEX = {
    "forms": ["id"],
    "lines": ["id", "form"],
    "writers": ["writer", "forms"],
    "splits": ["split"],
    "drift": ["measure", "value", "reference"],
    "feedback": ["id"],
    "crops": ["id", "split"],
    "line_crops": ["id", "split"],
}
# A correction that fails is refused, and stops nothing: the other suites decide whether the data are valid.
REFUSED = "feedback"
# The rows of ink of a page are counted by their summits; on 603 forms of IAM that was never wrong by more than this.
ROWS_TOLERANCE = 1
# dpi by which a picture may fall short: a page that is halved lacks up to a pixel of its width.
ROUNDING = 1
# In 603 of IAM's forms, 5 of 5,319 lines were cut off with the foot of their page: 0.1 %.
INKED = 0.998


@dataclass(frozen=True)
class Rule:
    """One expectation: `kind` is its class in great_expectations.expectations, `wrong` says what a failing row is."""

    suite: str
    name: str
    column: str
    kind: str
    wrong: str
    fix: str
    options: dict[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        if self.kind == "ExpectColumnPairValuesToBeEqual":
            return self.options
        return {"column": self.column, **self.options}


def rules(params: Params) -> tuple[Rule, ...]:
    return (
        *_files(), *_labels(params), *_pictures(params), *_rows(), *_lines(params), *_boxes(params), *_splits(params),
        *_drift(params), *_feedback(params),
    )  # fmt: skip


def build(name: str, some: tuple[Rule, ...]) -> "ExpectationSuite":
    """The suite of one table."""
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
    return Rule(suite, name, column, "ExpectColumnValuesToBeNull", wrong, fix)


def between(suite: str, name: str, column: str, wrong: str, fix: str, **bounds: float | bool) -> Rule:
    return Rule(suite, name, column, "ExpectColumnValuesToBeBetween", wrong, fix, bounds)


def unique(suite: str, name: str, column: str, wrong: str, fix: str) -> Rule:
    return Rule(suite, name, column, "ExpectColumnValuesToBeUnique", wrong, fix)


def _files() -> list[Rule]:
    return [
        between("forms", "has_labels", "labels", "a picture has no XML", "add xml/<id>.xml or exclude the form",
                 min_value=1),
        between("forms", "has_picture", "pictures", "an XML has no picture",
                 "add forms/<id>.jpg or .png, or exclude the form", min_value=1),
        between("forms", "one_file_each", "copies", "an id has two pictures or two XML files", "remove one of them",
                 max_value=1),
        unique("forms", "pictures_differ", "fingerprint", "two ids have the very same picture",
                "remove or exclude one of them"),
        null("forms", "pages_differ", "twin", "two ids have pictures of one page",
              "look at both, and remove or exclude one of them"),
        Rule("forms", "form_ids", "id", "ExpectColumnValuesToMatchRegex",
             "an id has not two parts with a dash between them, so the lists of a split cannot name it",
             "rename its files and its id in the XML, to a01-000 for instance", {"regex": r"^[^-\s]+-[^-\s]+$"}),
    ]  # fmt: skip


def _labels(params: Params) -> list[Rule]:
    most = params.validate_.max_lines
    return [
        null("forms", "labels_read", "labels_problem", "an XML cannot be read", "mend the XML or exclude the form"),
        Rule("forms", "id_matches", "labelled_id", "ExpectColumnPairValuesToBeEqual",
             "an XML's own form id is not its file's name", "rename the file, or correct the id in the XML",
             {"column_A": "id", "column_B": "labelled_id", "ignore_row_if": "either_value_is_missing"}),
        between("forms", "writer_named", "writer_length", "an XML names no writer", "fill in writer-id", min_value=1),
        between("forms", "line_count", "lines", f"a form has no line, or more than {most}",
                 "mend the XML, exclude the form, or raise validate.max_lines", min_value=1, max_value=most),
    ]  # fmt: skip


def _pictures(params: Params) -> list[Rule]:
    low, high = params.validate_.ink_min, params.validate_.ink_max
    return [
        null("forms", "picture_opens", "picture_problem", "a picture cannot be read",
              "replace the picture or exclude the form"),
        Rule("forms", "picture_mode", "mode", "ExpectColumnValuesToBeInSet",
             "a picture's pixels do not turn into 8-bit grey", "save it as 8-bit grey", {"value_set": MODES}),
        between("forms", "picture_shape", "aspect", "a picture has not the shape that its XML gives",
                 "scan the whole page, or correct width and height in the XML",
                 min_value=1 - ASPECT_TOLERANCE, max_value=1 + ASPECT_TOLERANCE),
        between("forms", "resolution", "dpi", f"a picture has less than {params.preprocess.dpi} dpi",
                 "scan it finer, or lower preprocess.dpi", min_value=params.preprocess.dpi - ROUNDING),
        between("forms", "ink", "ink", f"less than {low:.1%} or more than {high:.1%} of the text region is dark",
                 "look at the picture: a blank or blackened page must be scanned again or excluded",
                 min_value=low, max_value=high),
    ]  # fmt: skip


def _rows() -> list[Rule]:
    return [
        between("forms", "row_count", "rows_more",
                 "a picture has at least two rows of writing more, or fewer, than its XML has lines",
                 "compare the XML's lines with the picture", min_value=-ROWS_TOLERANCE, max_value=ROWS_TOLERANCE),
        null("forms", "rows_claimed", "unclaimed", "a picture has a row of writing that is in no line's box",
              "transcribe that row, or correct the boxes"),
    ]  # fmt: skip


def _lines(params: Params) -> list[Rule]:
    return [
        unique("lines", "line_ids_unique", "id", "two lines have one id", "number the lines of the XML again"),
        null("lines", "line_ids", "stranger", "a line's id does not begin with its form's",
              "number the lines of the XML again: perhaps it holds the labels of another form"),
        between("lines", "text_present", "characters", "a line has no text",
                 "transcribe the line, or exclude its form", min_value=1),
        null("lines", "text_in_charset", "unknown", "a line holds characters that the reader does not know",
              "correct the transcription, map the character in text.normalise, or exclude the form"),
        *_fits(params, "lines", "line_fits", "a line",
               "raise preprocess.canvas_width (and dpi) to what suits these forms, or exclude the form",
               "correct its text or its box; where many lines fail, raise preprocess.dpi"),
    ]  # fmt: skip


def _fits(params: Params, suite: str, name: str, line: str, on_canvas: str, in_box: str) -> list[Rule]:
    """That CTC can spell a line on the canvas and in its box, with the fix for either."""
    wide = f"a canvas {params.preprocess.canvas_width} px wide"
    return [
        between(suite, f"{name}_{place}", column, f"{line} has more characters than CTC can spell on {where}", fix,
                min_value=0)
        for place, column, where, fix in (("canvas", "spare_on_canvas", wide, on_canvas),
                                          ("box", "spare_in_box", "the width of its box", in_box))
    ]  # fmt: skip


def _boxes(params: Params) -> list[Rule]:
    return [
        Rule("lines", "box_present", "box", "ExpectColumnValuesToNotBeNull", "a line has no box",
             "add a cmp with x, y, width and height, or exclude the form"),
        null("lines", "box_inside", "outside", "a line's box leaves its page or is empty",
              "correct the box, or exclude the form"),
        between("lines", "reading_order", "step", "a line does not lie below the line before it",
                 "put the lines of the XML in order from top to bottom", min_value=0, strict_min=True),
        between("lines", "line_inked", "ink", "there is no writing in a line's box",
                 "correct the box, take the line out of the XML, or exclude the form",
                 min_value=params.validate_.ink_min, mostly=INKED),
    ]  # fmt: skip


def _splits(params: Params) -> list[Rule]:
    fewest, lists = params.validate_.min_forms, f"the lists of {params.data.split}"
    out = [
        between("splits", "split_filled", "forms", f"a split has fewer than {fewest} forms",
                 f"give more forms, correct {lists}, set data.split to another, or lower validate.min_forms",
                 min_value=fewest),
        between("forms", "one_split", "memberships", "a form is in two splits",
                 f"take it out of one of {lists}", max_value=1),
    ]  # fmt: skip
    if params.validate_.writers_apart:
        out.append(
            between("writers", "writers_apart", "splits", "a writer is in two splits, so the score would flatter",
                     f"correct {lists}, exclude the forms, or set validate.writers_apart to false", max_value=1)
        )  # fmt: skip
    return out


def _drift(params: Params) -> list[Rule]:
    most, change = params.validate_.max_drift, params.validate_.max_change
    fix = "look at what changed; if it is meant, raise the limit or remove reports/accepted.json"
    return [
        between("drift", "characters_steady", "mix", f"more than {most:.0%} of the characters are others than before",
                 fix.replace("the limit", "validate.max_drift"), max_value=most),
        between("drift", "labels_steady", "change", f"a measure of the labels moved by more than {change:.0%}",
                 fix.replace("the limit", "validate.max_change"), max_value=change),
    ]  # fmt: skip


def _feedback(params: Params) -> list[Rule]:
    return [
        null("feedback", "correction_read", "problem", "a correction cannot be read", "mend or remove its files"),
        null("feedback", "correction_text", "no_text", "a corrected line has no text", "type it, or remove the line"),
        null("feedback", "correction_charset", "unknown", "a correction has characters that the reader does not know",
              "write them as the characters that the reader knows"),
        null("feedback", "correction_inside", "outside", "a corrected line's box leaves its picture",
              "move the box"),
        null("feedback", "correction_order", "order", "corrected lines are not in order from top to bottom",
              "put them in order"),
        *_fits(params, "feedback", "correction_fits", "a corrected line",
               "break the line as the page does, or raise preprocess.canvas_width",
               "widen the box, or correct its text or the dpi"),
        between("feedback", "correction_inked", "ink", "there is no writing in a corrected line's box", "move the box",
                 min_value=params.validate_.ink_min),
        null("feedback", "correction_last", "repeats", "the same page was corrected again later",
              "nothing: the later one counts"),
        null("feedback", "correction_held_out", "held_out", "a correction is of a page that the score is measured on",
              "nothing: it must not be learnt"),
    ]  # fmt: skip
