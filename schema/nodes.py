"""What everything with an identity has in common."""

import strawberry


@strawberry.interface(description="A thing with an identity.")
class Node:
    """Implemented by every type that has an id."""

    id: strawberry.ID = strawberry.field(
        description="Opaque, unique among all things of this server, and the same for ever."
    )
