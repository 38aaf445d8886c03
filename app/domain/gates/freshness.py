"""How old a signal may be, and how far in the future."""

from app.domain.algorithm import Kind, Parameter
from app.domain.gate import Answer, Case, Gate, Params, Verdict
from app.domain.instant import SECOND, rfc3339, seconds


def judge(case: Case, params: Params) -> Answer:
    """A signal without a time cannot be old: it is as new as its request."""
    limit = {name: format(params[name], "f") for name in ("max_age", "tolerance")}
    age = case.age
    if case.at is None or age is None:
        return Answer(Verdict.PASS, "the signal gives no time", {"age": None}, limit)
    inputs = {"at": rfc3339(case.at), "now": rfc3339(case.now), "age": seconds(age)}
    if age > params["max_age"] * SECOND:
        reason = f"the signal is {seconds(age):.3f} s old, {limit['max_age']} s are allowed"
        return Answer(Verdict.REJECT, reason, inputs, limit)
    if -age > params["tolerance"] * SECOND:
        reason = (
            f"the signal is from {seconds(-age):.3f} s in the future,"
            f" {limit['tolerance']} s are allowed"
        )
        return Answer(Verdict.REJECT, reason, inputs, limit)
    return Answer(Verdict.PASS, f"the signal is {seconds(age):.3f} s old", inputs, limit)


GATE = Gate(
    name="freshness",
    title="Freshness",
    doc="Rejects a signal that is too old, or from further in the future than clocks differ.",
    version=1,
    judge=judge,
    parameters=(
        Parameter(
            "max_age",
            Kind.SECONDS,
            "The oldest that a signal may be, in market time.",
            default=60,
            minimum=0,
            maximum=86_400,
        ),
        Parameter(
            "tolerance",
            Kind.SECONDS,
            "How far ahead of ours the sender's clock may be.",
            default=2,
            minimum=0,
            maximum=3600,
        ),
    ),
)
