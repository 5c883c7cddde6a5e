"""How much things matter, in GraphQL: events say it, and rules that notify."""

import strawberry

from domain.system_events import Severity

__all__ = ["Severity"]

strawberry.enum(
    Severity,
    description=(
        "How much something matters. INFO: good to know. WARNING: look when you have time. ERROR: "
        "something does not work. CRITICAL: look now."
    ),
)
