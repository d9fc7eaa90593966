"""Write small archives as people have them: PAGE XML and ALTO by hand, with pictures."""

import io
import zipfile
from pathlib import Path

from PIL import Image

from text_recognizer.core.errors import DataError

PAGE_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"
ALTO_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SIZE = 400, 300


def picture(width=SIZE[0], height=SIZE[1]):
    """Return the bytes of a white picture."""
    stream = io.BytesIO()
    Image.new("L", (width, height), 255).save(stream, "PNG")
    return stream.getvalue()


def page_line(text, name="l1", points="10,20 200,20 200,60 10,60", baseline="10,50 200,52", attributes=""):
    """Return a line of PAGE XML; `points` and `baseline` may be empty."""
    coordinates = f'<Coords points="{points}"/>' if points else ""
    base = f'<Baseline points="{baseline}"/>' if baseline else ""
    content = f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv>" if text is not None else ""
    return f'<TextLine id="{name}" {attributes}>{coordinates}{base}{content}</TextLine>'


def page_xml(body, name="a.png", namespace=PAGE_NAMESPACE, size=SIZE, head=""):
    """Return a document of PAGE XML with the regions `body`."""
    return (
        f'{head}<PcGts xmlns="{namespace}"><Metadata><Creator>x</Creator></Metadata>'
        f'<Page imageFilename="{name}" imageWidth="{size[0]}" imageHeight="{size[1]}">{body}</Page></PcGts>'
    )


def region(*lines, name="r1", attributes=""):
    """Return a region of PAGE XML."""
    return f'<TextRegion id="{name}" {attributes}><Coords points="0,0 9,9"/>{"".join(lines)}</TextRegion>'


def alto_line(*words, name="l1", attributes='BASELINE="10,50 200,52"', shape=""):
    """Return a line of ALTO."""
    strings = "<SP/>".join(f'<String CONTENT="{word}"/>' for word in words)
    box = 'HPOS="10" VPOS="20" WIDTH="190" HEIGHT="40"'
    return f'<TextLine ID="{name}" {box} {attributes}>{shape}{strings}</TextLine>'


def alto_xml(*blocks, name="a.png", namespace=ALTO_NAMESPACE, size=SIZE, head=""):
    """Return a document of ALTO with blocks of lines; `head` stands before the layout."""
    bodies = "".join(f'<TextBlock ID="b{number}">{block}</TextBlock>' for number, block in enumerate(blocks))
    return (
        f'<alto xmlns="{namespace}"><Description><sourceImageInformation><fileName>{name}</fileName>'
        f"</sourceImageInformation></Description>{head}<Layout>"
        f'<Page WIDTH="{size[0]}" HEIGHT="{size[1]}"><PrintSpace>{bodies}</PrintSpace></Page></Layout></alto>'
    )


def write_files(folder, files):
    """Write files, whose contents are text or bytes, into a folder."""
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(folder)


def write_zip(path, files):
    """Write files into a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def pages_and_faults(corpus):
    """Return each page of a corpus by its id, or what is wrong with it."""
    found = {}
    for page_id in corpus.ids:
        try:
            found[page_id] = corpus.page(page_id)
        except DataError as error:
            found[page_id] = error
    return found


def has_line_places(page):
    """Return whether the archive says where each line with a text lies."""
    lines = [line for line in page.lines if line.text]
    return bool(lines) and all(line.box for line in lines)
