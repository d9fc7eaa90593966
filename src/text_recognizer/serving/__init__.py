"""The model that people call: the bento, its page, and the stage that bundles it. Reading needs no torch."""


def version_of(digest: str) -> str:
    """The version of a bento: its model's digest, shortened, so that the same model always gives the same tag."""
    return digest[:12]
