"""What the doors need to follow the stream of events."""

from app.engine.hub import Gap, Hub
from app.engine.ring import FellBehind
from app.engine.wish import Wish
from app.store.event_log import CHANNELS, Cursor, Event

__all__ = ["CHANNELS", "Cursor", "Event", "FellBehind", "Gap", "Hub", "Wish"]
