"""Small valid files of every format that can be opened, made on the spot."""

import io

import numpy as np
import pillow_heif
import pypdfium2
from PIL import Image, ImageDraw, ImageFont

SIZE = 60, 80  # px: width, height


def picture(mode: str = "RGB", shift: int = 0) -> Image.Image:
    """Draw letters on a page that gets darker downwards."""
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    for row in range(SIZE[1]):
        draw.line((0, row, SIZE[0], row), fill=(255 - row, 250 - row, 240 - row))
    draw.text((4 + shift, 20), "read me", font=ImageFont.load_default(12), fill=(20, 10, 60))
    if mode in ("RGBA", "LA"):
        page.putalpha(Image.linear_gradient("L").resize(SIZE))
    return page.convert(mode)


def encode(pictures: list[Image.Image], kind: str, **options) -> bytes:
    """Save pictures as the pages of one file. A picture may bring options of its own as `encoderinfo`."""
    stream = io.BytesIO()
    # Pillow leaves options of the encoder in what it saves.
    pages = [picture.copy() for picture in pictures]
    for page, original in zip(pages, pictures, strict=True):
        page.encoderinfo = getattr(original, "encoderinfo", {})
    several = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    pages[0].save(stream, kind, **several, **options)
    return stream.getvalue()


def heic(pictures: list[Image.Image]) -> bytes:
    """Save pictures as the pages of a HEIC file. The library that reads them in the project cannot write them."""
    file, stream = pillow_heif.HeifFile(), io.BytesIO()
    for one in pictures:
        file.add_from_pillow(one)
    file.save(stream)
    return stream.getvalue()


def deep_tiff(dtype: type) -> bytes:
    """A TIFF of numbers that are no bytes."""
    values = np.asarray(picture("L")).astype(dtype)
    return encode([Image.fromarray(values)], "TIFF")


def rotated_jpeg() -> bytes:
    """A JPEG that is to be turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode([picture()], "JPEG", exif=exif)


def scanned_pdf(pages: int = 2, resolution: float = 72) -> bytes:
    """A PDF whose pages are pictures."""
    return encode([picture(shift=n) for n in range(pages)], "PDF", resolution=resolution)


def drawn_pdf(
    content: str = "BT /F1 24 Tf 20 60 Td (read me) Tj ET 10 10 m 190 90 l S", box: str = "0 0 200 100"
) -> bytes:
    """A PDF of one page that is drawn with these operators."""
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{part}\nendobj\n"
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return (text + f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n" + rows + trailer).encode()


def joined_pdf(*contents: bytes) -> bytes:
    """A PDF of the pages of several."""
    document = pypdfium2.PdfDocument.new()
    for content in contents:
        document.import_pages(pypdfium2.PdfDocument(content))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def page_files() -> dict[str, bytes]:
    """Return a file of every kind, by a name for it."""
    pages = [picture(shift=n) for n in range(3)]
    bits = [page.convert("1") for page in pages]
    files = {f"png-{mode}": encode([picture(mode)], "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}
    files |= {f"jpeg-{mode}": encode([picture(mode)], "JPEG") for mode in ("L", "RGB", "CMYK")}
    files |= {f"bmp-{mode}": encode([picture(mode)], "BMP") for mode in ("1", "P", "RGB")}
    compressions = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    files |= {f"tiff-{name}": encode(pages, "TIFF", compression=name) for name in compressions}
    files |= {f"tiff-{name}": encode(bits, "TIFF", compression=name) for name in ("group3", "group4")}
    files |= {f"tiff-{dtype.__name__}": deep_tiff(dtype) for dtype in (np.uint16, np.int32, np.float32)}
    return files | {
        "jpeg-rotated": rotated_jpeg(),
        "jpeg-progressive": encode([picture()], "JPEG", progressive=True),
        "webp": encode([picture()], "WEBP"),
        "webp-lossless": encode([picture("RGBA")], "WEBP", lossless=True),
        "webp-frames": encode(pages, "WEBP"),
        "gif": encode([picture("P")], "GIF"),
        "gif-frames": encode(pages, "GIF"),
        "heic": heic([picture()]),
        "heic-pages": heic(pages),
        "avif": encode([picture()], "AVIF"),
        "avif-frames": encode(pages, "AVIF"),
        "pdf-scan": scanned_pdf(),
        "pdf-drawn": drawn_pdf(),
        "pdf-both": joined_pdf(scanned_pdf(), drawn_pdf()),
    }
