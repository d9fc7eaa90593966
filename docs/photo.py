"""Draw the picture of the README: a photographed page and what the reader reads on it.

`.venv/bin/python docs/photo.py`. The page is drawn as those of the sample are, laid on a table and photographed. It is
easier than people's handwriting: the reader was trained on such letters too. Equal weights give the same picture.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.benchmarks.no_writing_pictures import photograph
from text_recognizer.benchmarks.sample_pages import sample_pages
from text_recognizer.inference.recognizer import Recognizer
from text_recognizer.inference.transcription import Transcription

OUT = Path(__file__).parent / "images" / "photo.png"
PAGE, SEED = 2, 3  # which page, and how it is photographed
HEIGHT, TEXT_WIDTH = 520, 620  # px of the picture, and of the part with the text
FRAME, SURE, UNSURE = (38, 96, 214), (30, 30, 30), (190, 40, 40)
SURE_FROM = 0.7  # confidence of a word
COLOURS = 128


def main() -> None:
    """Photograph the page, read it, and write the picture."""
    page = sample_pages(PAGE + 1)[PAGE].rgb
    margin = page.shape[0] // 10
    sheet = np.pad(page, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)
    photo = photograph(sheet, np.random.default_rng(SEED))
    read = Recognizer.load().read(photo)
    shown = np.concatenate([framed(photo, read), listed(read)], axis=1)
    Image.fromarray(shown).quantize(COLOURS).save(OUT, optimize=True)


def framed(photo: np.ndarray, read: Transcription) -> np.ndarray:
    """Return the photograph, HEIGHT pixels high, with a frame around each line."""
    drawn = photo.copy()
    thickness = max(1, round(photo.shape[0] / HEIGHT))
    for line in read.lines:
        cv2.polylines(drawn, [np.array(line.polygon, np.int32)], True, FRAME, thickness, cv2.LINE_AA)
    size = round(photo.shape[1] * HEIGHT / photo.shape[0]), HEIGHT
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA))


def listed(read: Transcription) -> np.ndarray:
    """Return the text, HEIGHT pixels high, a line below the other; doubtful words are red."""
    panel = Image.new("RGB", (TEXT_WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(17)
    pitch = HEIGHT / (len(read.lines) + 1)
    for row, line in enumerate(read.lines):
        x, y = 24.0, (row + 0.6) * pitch
        for word, confidence in line.words:
            draw.text((x, y), word, SURE if confidence >= SURE_FROM else UNSURE, font)
            x += draw.textlength(f"{word} ", font)
    return np.asarray(panel)


if __name__ == "__main__":
    main()
