"""What the server tells everybody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """Whether the server is there: retained, and its own last will.

    Attributes:
        kaiser_id: The topic level; `god`.
        timestamp: Unix seconds.
        reason: Why it is offline; empty while it is online.
    """

    online: bool
    timestamp: int
    reason: str = ""
    kaiser_id: str = "god"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemUpdate:
    """Something is going to happen to the whole installation."""

    update_type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IpChange:
    """The server moves to another address.

    Attributes:
        timestamp: Unix seconds.
    """

    new_ip: str
    new_port: int
    timestamp: int
    reason: str = ""
