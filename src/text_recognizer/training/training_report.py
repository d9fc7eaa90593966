"""The curves and settings of a training as one page of HTML that needs no network and no account."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from text_recognizer.utils.charts import Series, lines

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fff; --faint: #d7dde4;
  --first: #1f6feb; --second: #d1570a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #12171d; --faint: #36404b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1rem .2rem 0; }
svg.chart { width: 100%; height: auto; font-size: 11px; fill: var(--ink); }
.grid { stroke: var(--faint); } .axis { stroke: var(--ink); } polyline { fill: none; stroke-width: 2; }
.line-0 { stroke: var(--first); } .dot-0 { fill: var(--first); }
.line-1 { stroke: var(--second); } .dot-1 { fill: var(--second); }
.key-0 { color: var(--first); } .key-1 { color: var(--second); }
"""
CHARTS = {
    "Loss": ("train/loss", "validation/loss"),
    "Character error rate": ("validation/cer", "validation/cer_newlines"),
    "Word error rate": ("validation/wer",),
    "Accuracy": ("train/acc", "validation/acc"),
}


def page(
    title: str, settings: Mapping[str, object], rows: Sequence[Mapping[str, float]], test: Mapping[str, float]
) -> str:
    """Return the report of a run: `rows` are its epochs, `test` the metrics of the test split, empty until known."""
    body = Markup("").join([*_charts(rows), _table("Test split", test), _table("Settings", settings)])
    head = Markup(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>{0}</title><style>{1}</style><h1>{0}</h1>"
    )
    return str(head.format(title, Markup(STYLE)) + body + Markup("</html>\n"))


def _charts(rows: Sequence[Mapping[str, float]]) -> list[Markup]:
    charts = []
    for title, names in CHARTS.items():
        found = [(name, tuple((row["step"], row[name]) for row in rows if _is_drawable(row, name))) for name in names]
        series = [Series(name, points) for name, points in found if points]
        if not series:
            continue
        keys = Markup(" ").join(
            Markup("<span class='key-{}'>{}</span>").format(index, one.name) for index, one in enumerate(series)
        )
        chart = lines(series, "optimiser steps", title)
        charts.append(Markup("<h2>{}</h2><p>{}</p>{}").format(title, keys, chart))
    return charts


def _is_drawable(row: Mapping[str, float], name: str) -> bool:
    """Return whether a row has a finite value. A run that diverged still shows its finite part."""
    return name in row and abs(row[name]) < float("inf")


def _table(title: str, values: Mapping[str, object]) -> Markup:
    if not values:
        return Markup("")
    rows = Markup("").join(
        Markup("<tr><th>{}</th><td>{}</td></tr>").format(name, f"{value:.4g}" if isinstance(value, float) else value)
        for name, value in sorted(values.items())
    )
    return Markup("<h2>{}</h2><table>{}</table>").format(escape(title), rows)
