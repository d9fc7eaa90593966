"""EMNIST (Cohen et al. 2017, arXiv:1702.05373) on disk: from the archive of NIST, or a drawn stand-in for it."""

import gzip
import math
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from text_recognizer.acquisition.download import download
from text_recognizer.core.charset import CHARACTERS, SPECIAL
from text_recognizer.core.errors import DataError
from text_recognizer.synthetic.characters import draw_characters
from text_recognizer.utils.archives import ARCHIVE_ERRORS
from text_recognizer.utils.files import replace_atomically

NIST, NIST_ADDRESS = "nist", "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
NIST_DIGEST = "md5:58c8d27c78d21e728a6bc7b3cc06412e"  # from torchvision, because NIST publishes none
REAL, STAND_IN = "emnist.npz", "stand-in.npz"
CLASSES = CHARACTERS[:62]  # digits, capitals, small letters: the order of the "by class" labels
WRITERS = 80, 20  # of the stand-in, in the training and the test part

Characters = tuple[np.ndarray, np.ndarray]  # ink, uint8 (B, 28, 28), and ids in the charset, uint8 (B,)


def fetch_emnist(source: str, folder: Path) -> None:
    """Download EMNIST's gzip.zip from a path or URL ('nist' is the site of NIST), and save its characters in `folder`.

    The archive itself is not kept. Raises DataError if it is not that archive.
    """
    address, digest = (NIST_ADDRESS, NIST_DIGEST) if source == NIST else (source, None)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = Path(scratch) / "gzip.zip"
        download(address, archive, digest)
        save_characters(folder / REAL, read_archive(archive, address))


def draw_stand_in(folder: Path, writers: tuple[int, int] = WRITERS) -> None:
    """Draw synthetic characters by so many writers, for training and test, and save them in `folder`."""
    drawn = draw_characters(CLASSES, writers, seed=1)
    save_characters(folder / STAND_IN, {part: (ink, ids + len(SPECIAL)) for part, (ink, ids) in drawn.items()})


def read_archive(archive: Path, name: str) -> dict[str, Characters]:
    """Read the "by class" files of gzip.zip, balanced as in the FSDL lab; see `balanced`. `name` is used in errors."""
    out = {}
    try:
        with zipfile.ZipFile(archive) as files:
            members = {Path(member).name: member for member in files.namelist()}
            for part in ("train", "test"):
                images, labels = (
                    parse_idx(gzip.decompress(files.read(members[f"emnist-byclass-{part}-{kind}-ubyte.gz"])))
                    for kind in ("images-idx3", "labels-idx1")
                )
                if images.shape[1:] != (28, 28) or len(images) != len(labels) or labels.max() >= len(CLASSES):
                    raise ValueError(f"{part}: pictures {images.shape}, labels {labels.shape} up to {labels.max()}")
                chosen = balanced(labels)
                # The pictures of EMNIST are transposed: columns before rows.
                out[part] = images[chosen].swapaxes(1, 2).copy(), labels[chosen] + np.uint8(len(SPECIAL))
    except KeyError as error:
        raise DataError(f"{name} has no {error}", "give EMNIST's gzip.zip") from None
    except (*ARCHIVE_ERRORS, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise DataError(f"{name} is not EMNIST's gzip.zip, or is damaged: {error}", "fetch it again") from None
    return out


def parse_idx(content: bytes) -> np.ndarray:
    """Parse bytes in the IDX format of MNIST: two zeros, 8, the number of axes, the length of each, the array."""
    zeros, kind, axes = struct.unpack(">HBB", content[:4])
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    if zeros or kind != 8 or len(content) != 4 + 4 * axes + math.prod(shape):
        raise ValueError(f"it is not an IDX file of bytes: it begins with {content[:4].hex()}")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def balanced(labels: np.ndarray) -> np.ndarray:
    """Return the sorted indices of at most the mean number of samples of each class, chosen at random."""
    rng = np.random.default_rng((42, *b"balance"))
    limit = max(1, len(labels) // len(np.unique(labels)))
    of_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([rng.permutation(own)[:limit] for own in of_class]))


def save_characters(path: Path, parts: dict[str, Characters]) -> None:
    """Save the characters of the parts 'train' and 'test', atomically."""
    arrays = {f"{name}_{part}": array for part, pair in parts.items() for name, array in zip("xy", pair, strict=True)}
    with replace_atomically(path) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_characters(path: Path) -> dict[str, Characters]:
    """Load what `save_characters` wrote. Raises DataError if it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {part: (arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "call prepare_data() first") from None
    except (KeyError, *ARCHIVE_ERRORS) as error:
        raise DataError(f"{path} is damaged: {error}", "remove it, and prepare the data again") from None
