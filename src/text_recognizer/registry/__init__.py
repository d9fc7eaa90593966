"""Which model is in service, which were before it, and how one takes another's place; kept as git tags."""

from text_recognizer.registry.git import RegistryError, TakenError
from text_recognizer.registry.listing import listed, table
from text_recognizer.registry.promote import Override, bring_champion, challenge, promote, rollback

__all__ = [
    "Override",
    "RegistryError",
    "TakenError",
    "bring_champion",
    "challenge",
    "listed",
    "promote",
    "rollback",
    "table",
]
