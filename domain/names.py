"""What things are called: by themselves, and by people."""

from domain.errors import BadInputError

LONGEST_NAME = 100


def default_name(kind: str, gpio: int) -> str:
    """Return what a sensor or actuator is called until a person names it."""
    return f"{kind} on GPIO {gpio}"


def checked_name(name: str, longest: int = LONGEST_NAME) -> str:
    """Return what people want to call something.

    Raises:
        BadInputError: It is empty, too long, or cannot be printed.
    """
    name = name.strip()
    if not 0 < len(name) <= longest or not name.isprintable():
        raise BadInputError(f"a name has 1 to {longest} printable characters")
    return name
