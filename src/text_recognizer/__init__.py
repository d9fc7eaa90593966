"""text-recognizer: learns to read whole paragraphs of handwriting, and keeps itself honest while it does."""

__version__ = "0.1.0"
