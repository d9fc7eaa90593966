"""The service: the bento, the web application in it, and the page. It needs no torch."""


def bento_version(digest: str) -> str:
    """Return the version of a bento: its model's digest, shortened, so that the same model always has the same tag."""
    return digest[:12]
