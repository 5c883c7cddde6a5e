"""Live events for any number of listeners, in one process or several.

`broadcaster` carries the events, but its queues have no bound and its subscribers wait for ever
once a backend died. This package is what makes it fit to be trusted: one relay per process, an
inbox with a bound for each listener, and an end with a reason where events may have been missed.
"""

from app.event_stream.limits import Limits
from app.event_stream.stream import BroadcastEventStream, StreamCounts

__all__ = ["BroadcastEventStream", "Limits", "StreamCounts"]
