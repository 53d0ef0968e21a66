"""What the calls of an execution may cost, and what they did cost: US dollars."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from uuid_utils import uuid7

from hummbl.errors import AppError
from workflows.engine.journal import Journal
from workflows.engine.measures import Measures
from workflows.engine.records import ZERO, ExecutionState, TaskState
from workflows.providers.catalogue import estimate


class BudgetRefused(AppError):
    """A call could cost more than is left under the cap."""

    code = "budget_refused"


@dataclass(slots=True)
class Call:
    """An open attempt: its entry, whom it asks, its upper bound, and whether it has gone out."""

    entry: str
    provider: str
    model: str
    reserved: Decimal
    made: bool = False


class Ledger:
    """The reservations of one execution.

    One worker owns an execution, so what is kept here is all there is: calls that run at the same
    time cannot overdraw the cap together.
    """

    def __init__(self, state: ExecutionState, journal: Journal, measures: Measures) -> None:
        self._state = state
        self._journal = journal
        self._measures = measures
        self._open: dict[str, Call] = {}

    def reserve(self, provider: str, model: str, prompt_bytes: int, max_tokens: int) -> Call:
        """Set the upper bound of a call aside. Raises BudgetRefused."""
        bound = estimate(provider, model, prompt_bytes, max_tokens)
        self._require_room(bound, provider, model)
        call = Call(uuid7().hex, provider, model, reserved=bound or ZERO)
        self._state.committed_spend += call.reserved
        return call

    def _require_room(self, bound: Decimal | None, provider: str, model: str) -> None:
        cap = self._state.cost_cap
        if cap is None:
            return
        if bound is None:
            raise BudgetRefused(
                f"The price of {provider}:{model} is not known, so it cannot run under a cost cap. "
                "Remove the cap or choose another model."
            )
        left = cap - self._state.committed_spend
        if bound > left:
            raise BudgetRefused(
                f"This call may cost up to ${bound:.4f}, and ${max(left, ZERO):.4f} of the cap of "
                f"${cap:.4f} is left. Raise the cap, shorten the prompt or lower max_tokens."
            )

    def record(self, task: TaskState, call: Call) -> None:
        """Write the reservation of the attempt that the task has just begun."""
        self._open[task.task_id] = call
        self._journal.reserve(
            self._state, task, entry=call.entry, provider=call.provider, amount=call.reserved
        )

    def settle(self, task: TaskState, cost: Callable[[Call], Decimal]) -> None:
        """End the task's open attempt, if there is one, with what it cost."""
        call = self._open.pop(task.task_id, None)
        if call is None:
            return
        amount = cost(call)
        self._state.committed_spend += amount - call.reserved
        self._state.cost += amount
        task.cost += amount
        self._journal.settle(self._state, task, call.entry, amount)
        self._measures.settled(call.provider, call.model, amount)


def in_full_if_made(call: Call) -> Decimal:
    """The bill of a call whose answer never came: unknown if it went out, so its upper bound."""
    return call.reserved if call.made else ZERO
