"""What a worker and an API import."""

import app.api.app
import app.audit
import app.engine.housekeeping
import app.main  # noqa: F401
from app import plugins

plugins.find("app.feeds", "FEED", "open_feed")
plugins.find("app.brokers", "BROKER", "open_broker")
