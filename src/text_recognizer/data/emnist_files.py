"""EMNIST (Cohen et al. 2017, arXiv:1702.05373) on disk: from its publisher's archive, or drawn to stand in for it."""

import gzip
import math
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from text_recognizer.data.archives import DAMAGE
from text_recognizer.data.download import download
from text_recognizer.data.synthetic.characters import draw_characters
from text_recognizer.errors import DataError
from text_recognizer.files import replacing
from text_recognizer.text import CHARACTERS, SPECIAL

NIST, NIST_ADDRESS = "nist", "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
NIST_DIGEST = "md5:58c8d27c78d21e728a6bc7b3cc06412e"  # NIST gives none; this is torchvision's, of the same file
REAL, STAND_IN = "emnist.npz", "stand-in.npz"
CLASSES = CHARACTERS[:62]  # digits, capitals, small letters: the order of EMNIST's "by class" labels
WRITERS = 80, 20  # of the stand-in, to train and to test with

Characters = tuple[np.ndarray, np.ndarray]  # ink, uint8 (N, 28, 28), and ids of MAPPING, uint8 (N,)


def fetch_emnist(source: str, folder: Path) -> None:
    """Downloads EMNIST's gzip.zip from a path or URL, 'nist' for its own site, and keeps its letters in `folder`.

    The archive is kept too only as long as that takes. Raises DataError where it is not that archive.
    """
    address, digest = (NIST_ADDRESS, NIST_DIGEST) if source == NIST else (source, None)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = Path(scratch) / "gzip.zip"
        download(address, archive, digest)
        save_characters(folder / REAL, read_archive(archive, address))


def draw_stand_in(folder: Path, writers: tuple[int, int] = WRITERS) -> None:
    drawn = draw_characters(CLASSES, writers, seed=1)
    save_characters(folder / STAND_IN, {part: (ink, ids + len(SPECIAL)) for part, (ink, ids) in drawn.items()})


def read_archive(archive: Path, name: str) -> dict[str, Characters]:
    """The "by class" files of gzip.zip, balanced as in the FSDL lab: a class has the mean number of samples at most."""
    out = {}
    try:
        with zipfile.ZipFile(archive) as files:
            members = {Path(member).name: member for member in files.namelist()}
            for part in ("train", "test"):
                images, labels = (
                    read_idx(gzip.decompress(files.read(members[f"emnist-byclass-{part}-{kind}-ubyte.gz"])))
                    for kind in ("images-idx3", "labels-idx1")
                )
                if images.shape[1:] != (28, 28) or len(images) != len(labels) or labels.max() >= len(CLASSES):
                    raise ValueError(f"{part}: pictures {images.shape}, labels {labels.shape} up to {labels.max()}")
                chosen = balanced(labels)
                # EMNIST's pictures lie on their side: columns before rows.
                out[part] = images[chosen].swapaxes(1, 2).copy(), labels[chosen] + np.uint8(len(SPECIAL))
    except KeyError as error:
        raise DataError(f"{name} has no {error}", "give EMNIST's gzip.zip") from None
    except (*DAMAGE, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise DataError(f"{name} is not EMNIST's gzip.zip, or is damaged: {error}", "fetch it again") from None
    return out


def read_idx(content: bytes) -> np.ndarray:
    """An array of bytes in the IDX format of MNIST: two zeros, 8, the number of axes, their lengths, the bytes."""
    zeros, kind, axes = struct.unpack(">HBB", content[:4])
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    if zeros or kind != 8 or len(content) != 4 + 4 * axes + math.prod(shape):
        raise ValueError(f"an IDX file of bytes it is not: it begins with {content[:4].hex()}")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def balanced(labels: np.ndarray) -> np.ndarray:
    """Indices, in order, of at most the mean number of samples of each class."""
    rng = np.random.default_rng((42, *b"balance"))
    most = max(1, len(labels) // len(np.unique(labels)))
    of_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([rng.permutation(own)[:most] for own in of_class]))


def save_characters(path: Path, parts: dict[str, Characters]) -> None:
    arrays = {f"{name}_{part}": array for part, pair in parts.items() for name, array in zip("xy", pair, strict=True)}
    with replacing(path) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_characters(path: Path) -> dict[str, Characters]:
    """What `save_characters` wrote. Raises DataError where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {part: (arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "call prepare_data() first") from None
    except (KeyError, *DAMAGE) as error:
        raise DataError(f"{path} is damaged: {error}", "remove it, and prepare the data again") from None
