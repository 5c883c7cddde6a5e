"""Waiting for what happens soon, instead of sleeping for as long as it might take."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], *, within: float = 10.0, what: str = ""
) -> None:
    """Wait until a condition holds; fail after `within` seconds, naming `what` did not happen."""
    try:
        async with asyncio.timeout(within):
            while True:
                answer = condition()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what or condition}") from None
