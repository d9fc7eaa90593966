"""Ways in which a picture of a page may be worse than it was: smaller, turned, oblique, blurred, noisy, dark."""

import io

import cv2
import numpy as np
from PIL import Image

from text_recognizer.evaluation.robustness import Perturbation, untouched
from text_recognizer.pages.opening import MAX_PIXELS

Picture = np.ndarray  # uint8 RGB (H, W, 3)
SEED = 1
TURNS = range(15, 360, 15)


def scaled(picture: Picture, factor: float) -> Picture:
    """Scale by a factor, or less if the picture would have more pixels than can be opened."""
    height, width = picture.shape[:2]
    factor = min(factor, float(np.sqrt(MAX_PIXELS / (height * width))))
    size = max(1, int(width * factor)), max(1, int(height * factor))
    smaller = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _uint8(cv2.resize(picture, size, interpolation=smaller))


def turned(picture: Picture, degrees: float) -> Picture:
    """Turn clockwise about the centre. The picture grows, so that nothing is cut off; the corners have paper."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return _uint8(cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC, borderValue=paper(picture)))


def oblique(picture: Picture, share: float) -> Picture:
    """Move each corner inwards by up to `share` of the sides, as in a photograph taken from one side."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (width, height)
    moved = corners + inwards * np.random.default_rng(SEED).uniform(0, share, (4, 2))
    warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return _uint8(
        cv2.warpPerspective(picture, warp, (width, height), flags=cv2.INTER_CUBIC, borderValue=paper(picture))
    )


def blurred(picture: Picture, pixels: float) -> Picture:
    """Blur by a Gaussian of so many pixels."""
    return _uint8(cv2.GaussianBlur(picture, (0, 0), pixels))


def noisy(picture: Picture, deviation: float) -> Picture:
    """Add Gaussian noise to every pixel, of this standard deviation in grey values."""
    noise = np.random.default_rng(SEED).normal(0, deviation, picture.shape).astype(np.float32)
    return _uint8(np.clip(picture + noise, 0, 255))


def compressed(picture: Picture, quality: float) -> Picture:
    """Compress as a JPEG of this quality."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=round(quality))
    return np.asarray(Image.open(stream))


def shadowed(picture: Picture, share: float) -> Picture:
    """Add a soft-edged shadow over the lower left half, which takes `share` of the light."""
    height, width = picture.shape[:2]
    rows, columns = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    depth = 1 / (1 + np.exp(-20 * (rows - columns)))
    return _uint8(picture * (1 - share * depth[:, :, None]))


PICTURE_PERTURBATIONS = (
    Perturbation("untouched", untouched, (0,)),
    Perturbation("scaled", scaled, (0.25, 0.5, 2, 4), "times"),
    Perturbation("turned", turned, tuple(TURNS), "degrees"),
    Perturbation("perspective", oblique, (0.05, 0.1, 0.2), "of the sides"),
    Perturbation("blurred", blurred, (1, 2, 4), "px"),
    Perturbation("noise", noisy, (10, 25, 50), "grey values"),
    Perturbation("JPEG", compressed, (10,), "quality"),
    Perturbation("shadow", shadowed, (0.3, 0.6), "of the light"),
)


def paper(picture: Picture) -> tuple[int, ...]:
    """Return the median colour of the edge of a picture."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return tuple(int(value) for value in np.median(edge, axis=0))


def _uint8(picture: np.ndarray) -> Picture:
    return np.asarray(picture.round() if picture.dtype != np.uint8 else picture, dtype=np.uint8)
