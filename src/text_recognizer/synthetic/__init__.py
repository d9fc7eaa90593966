"""The built-in synthetic data set: forms in IAM's layout, drawn from pen strokes, without personal data or a download.

The strokes come from 54 openly licensed fonts. Call every score on these forms synthetic: it says little about how
well people's handwriting is read.
"""

from text_recognizer.synthetic.corpus import draw_writer, write_corpus
from text_recognizer.synthetic.plan import WriterPlan, plan

__all__ = ["WriterPlan", "draw_writer", "plan", "write_corpus"]
