"""All rules that one query can check."""

from app.audit import (
    corrections,
    exits,
    identity,
    positions,
    progress,
    quantities,
    reducing,
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
    *reducing.RULES,
    *exits.RULES,
    *corrections.RULES,
    *stream.RULES,
    *progress.RULES,
)
