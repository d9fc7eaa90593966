"""Write a page that was read in the formats of other programs: text, JSON, PAGE XML, ALTO, hOCR, Markdown, PDF."""

from text_recognizer.core.output_formats import FORMATS, SUFFIXES, OutputFormat
from text_recognizer.exporting.page_writer import SEPARATORS, join_pages, write_page
from text_recognizer.exporting.picture_source import PictureSource

__all__ = ["FORMATS", "SEPARATORS", "SUFFIXES", "OutputFormat", "PictureSource", "join_pages", "write_page"]
