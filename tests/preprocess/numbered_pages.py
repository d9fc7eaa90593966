"""Pages that a fake reader can tell apart: the grey of each is its number."""

from PIL import Image


def write_pages(folder, texts):
    """Make a folder with a picture and a text file for each name in `texts`, and return it."""
    folder.mkdir()
    for number, (name, text) in enumerate(texts.items()):
        Image.new("L", (60, 40), 100 + 10 * number).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(text)
    return folder
