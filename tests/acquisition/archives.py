"""A small archive in the layout of IAM."""

import io
import zipfile

LABELS = b'<form id="a01-000" writer-id="000" width="400" height="300"/>'
OLD = b"the archive of an earlier run"


def zipped(files):
    """Return a zip with these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


GOOD = zipped({"iamdb/forms/a01-000.png": bytes(range(256)) * 40, "iamdb/xml/a01-000.xml": LABELS})
