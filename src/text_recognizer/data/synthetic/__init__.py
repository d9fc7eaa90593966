"""The built-in sample: handwritten forms drawn from pen strokes, in IAM's layout, without anyone's data or a download.

What is measured on it says how 54 drawn hands are read, and little about people's: call it synthetic.
"""

from text_recognizer.data.synthetic.corpus import draw_writer, write_corpus
from text_recognizer.data.synthetic.plan import WriterPlan, plan

__all__ = ["WriterPlan", "draw_writer", "plan", "write_corpus"]
