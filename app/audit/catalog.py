"""All rules that one query can check."""

from app.audit import (
    corrections,
    identity,
    positions,
    progress,
    quantities,
    sending,
    state,
    stream,
)

RULES = (
    *quantities.RULES,
    *identity.RULES,
    *sending.RULES,
    *state.RULES,
    *positions.RULES,
    *corrections.RULES,
    *stream.RULES,
    *progress.RULES,
)
