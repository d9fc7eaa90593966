"""Entries of `data.sources`, and archives as the stages take them."""

from text_recognizer.core.data_params import DataSection, SourceEntry
from text_recognizer.corpora.page_sources import PageSource
from text_recognizer.preprocess import Sources
from text_recognizer.preprocess.crop_jobs import NOTHING_LEFT_OUT


def entry_of(address, split="lwitlrt", **values):
    return SourceEntry(address=str(address), split=split, **values)


def data_of(*entries, exclude=()):
    return DataSection(sources=entries, exclude=exclude)


def page_source(archive, split="lwitlrt", **values):
    """Return an archive as a source that the stages read in place."""
    return PageSource(entry_of(archive, split, **values), archive)


def sources_of(archive, data, corrections=None, synthetic=None, left_out=NOTHING_LEFT_OUT):
    """Return the sources to pack: an archive in place, divided as the only entry of `data` says."""
    return Sources((PageSource(data.sources[0], archive),), data, corrections, synthetic, left_out)
