"""Wrong versions of the simulated desk, to prove that the simulation catches them.

Those of the product's own code are in `wrong`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bugs:
    """Each switch plants one mistake; none is the engine as it should be."""

    resend_on_timeout: bool = False
    mark_before_apply: bool = False
    no_dedupe: bool = False
    no_epoch_check: bool = False
    no_version_check: bool = False
    no_halt_in_commit: bool = False
    send_before_intent: bool = False
    send_before_reconcile: bool = False
    release_without_proof: bool = False
    ignore_deadline: bool = False
    ignore_lag: bool = False
    no_send_by: bool = False
    timeout_is_rejection: bool = False
    duplicate_refusal_is_final: bool = False
    never_ask_executions: bool = False
    ignore_busts: bool = False
    cancel_once: bool = False
    no_bound: bool = False


NONE = Bugs()
