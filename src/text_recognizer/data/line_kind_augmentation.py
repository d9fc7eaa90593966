"""Change a strip as cameras, pens and paper do, so that the classifier does not learn where a strip came from."""

from collections.abc import Sequence

import cv2
import numpy as np

from text_recognizer.pages.normalisation import normalise_contrast

PAPER = 255
Strip = np.ndarray


def augment_strip(strip: Strip, textures: Sequence[Strip], rng: np.random.Generator) -> Strip:
    """Return a changed copy of a strip, uint8 (H, W), dark on white. `textures` may lie behind the ink."""
    out = warp(strip, rng)
    if rng.random() < 0.35:
        out = change_strokes(out, rng)
    if rng.random() < 0.25:
        out = rule(out, rng)
    if rng.random() < 0.12:
        out = frame(out, rng)
    if textures and rng.random() < 0.15:
        out = lay_on(out, textures[int(rng.integers(len(textures)))], rng)
    out = photograph(out, rng)
    out = normalise_contrast(out)
    return np.where(out > rng.uniform(90, 180), PAPER, 0).astype(np.uint8) if rng.random() < 0.12 else out


def warp(strip: Strip, rng: np.random.Generator) -> Strip:
    """Scale, turn, slant, shift and bend a strip about its middle. The height stays."""
    height, width = strip.shape
    scale, stretch = np.exp(rng.normal(0, 0.16)), np.exp(rng.normal(0, 0.1))
    angle, slant = rng.normal(0, 0.015), rng.normal(0, 0.12)
    new_width = max(24, round(width * scale * stretch))
    x = np.arange(new_width, dtype=np.float32)[None] - new_width / 2
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2 + rng.normal(0, 3))
    bend = -angle * x
    if rng.random() < 0.3:
        bend = bend + rng.normal(0, 4) * np.sin(x / rng.uniform(60, 400) + rng.uniform(0, 6))
    from_x = ((x + slant * y) / (scale * stretch) + width / 2).astype(np.float32)
    from_y = ((y + bend) / scale + height / 2).astype(np.float32)
    warped: Strip = cv2.remap(strip, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped


def change_strokes(strip: Strip, rng: np.random.Generator) -> Strip:
    """Thicken the strokes, or thin them a little."""
    size = int(rng.choice((2, 2, 3, 3, 4, 5, 6)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    if rng.random() < 0.7:
        thick: Strip = cv2.erode(strip, kernel)
        return thick
    thin: Strip = cv2.dilate(strip, np.ones((2, 2), np.uint8))
    return thin if np.mean(thin < 128) > 0.4 * np.mean(strip < 128) else strip


def rule(strip: Strip, rng: np.random.Generator) -> Strip:
    """Draw ruled or squared paper behind the ink."""
    height, width = strip.shape
    paper = np.full_like(strip, PAPER)
    grey, thick, tilt = int(rng.integers(40, 220)), int(rng.integers(1, 4)), int(rng.normal(0, 3))
    step = int(rng.integers(14, 110))
    for y in range(int(rng.integers(0, step)), height, step):
        cv2.line(paper, (0, y), (width, y + tilt), grey, thick)
    if rng.random() < 0.4:
        for x in range(int(rng.integers(0, step)), width, step):
            cv2.line(paper, (x, 0), (x - tilt, height), grey, thick)
    ruled: Strip = np.minimum(strip, paper)
    return ruled


def frame(strip: Strip, rng: np.random.Generator) -> Strip:
    """Draw some edges of a box around the ink, as in the cells of a table."""
    height, width = strip.shape
    out, grey = strip.copy(), int(rng.integers(0, 130))
    edges = ((0, 22), (height - 22, height), (0, 14), (max(1, width - 14), width))
    for index, (low, high) in enumerate(edges):
        if rng.random() < 0.55:
            at, thick = int(rng.integers(low, high)), int(rng.integers(1, 5))
            where = np.s_[at : at + thick, :] if index < 2 else np.s_[:, at : at + thick]
            out[where] = grey
    return out


def add_neighbour(strip: Strip, other: Strip, rng: np.random.Generator) -> Strip:
    """Let the line above or below reach into a strip."""
    height, width = strip.shape
    shift, left = int(rng.integers(44, 74)), other[:, :width]
    out = strip.copy()
    if rng.random() < 0.5:
        np.minimum(out[shift:, : left.shape[1]], left[: height - shift], out=out[shift:, : left.shape[1]])
    else:
        np.minimum(out[: height - shift, : left.shape[1]], left[shift:], out=out[: height - shift, : left.shape[1]])
    return out


def lay_on(strip: Strip, texture: Strip, rng: np.random.Generator) -> Strip:
    """Lay the ink on a texture of low contrast."""
    scaled = cv2.resize(texture, strip.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    share = rng.uniform(0.05, 0.45)
    ground = PAPER - share * (PAPER - scaled)
    laid: Strip = (strip * (ground / PAPER)).astype(np.uint8)
    return laid


def photograph(strip: Strip, rng: np.random.Generator) -> Strip:
    """Blur a strip, lower its resolution, light it unevenly, fade it, add noise, compress it; each by chance."""
    height, width = strip.shape
    out: Strip = strip.astype(np.float32)
    if rng.random() < 0.5:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 2.2)))
    if rng.random() < 0.4:
        factor = rng.uniform(1.2, 4.5)
        small = cv2.resize(out, (max(8, round(width / factor)), round(height / factor)), interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, (width, height), interpolation=int(rng.choice((1, 2))))
    if rng.random() < 0.4:
        ramp = np.linspace(1, rng.uniform(0.45, 1), width)
        out = out * (ramp if rng.random() < 0.5 else ramp[::-1])
    low, high = rng.uniform(0, 90), rng.uniform(150, 255)
    out = low + out * (high - low) / PAPER
    if rng.random() < 0.5:
        out = out + rng.standard_normal((height, width), dtype=np.float32) * rng.uniform(1, 14)
    pixels: Strip = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    return 255 - pixels if rng.random() < 0.2 else pixels
