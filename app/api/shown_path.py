"""A path as it may be written down: where it ends in a secret, without it."""

import re

_SECRET = re.compile(r"(?i)(/webhooks/[^/]*/).+|hook_[A-Za-z0-9_-]{20,}", re.DOTALL)


def shown_path(path: str) -> str:
    return _SECRET.sub(lambda found: (found.group(1) or "") + "***", path)
