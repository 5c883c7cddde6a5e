"""Text as PostgreSQL can hold it, whatever came in."""


def storable(text: str) -> str:
    """Return a text with what cannot be stored written out: zero bytes, halves of characters."""
    return text.encode("utf-8", errors="backslashreplace").decode().replace("\x00", "\\x00")
