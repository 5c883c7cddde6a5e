"""How an embedded part says that it cannot start."""


class EmbeddedError(Exception):
    """An embedded part cannot start: one line that says why and what to do."""
