"""Does a use run on the provider's own node? Without ``hq:executor`` no other may run it."""

from huiqi.kernel.ids import SUBJECT_LENGTH, owner_of
from huiqi.kernel.text import Text
from huiqi.policy import wording
from huiqi.policy.types import Context

# The provider's own node among the executors that a rule leaves open.
OWN = "own"


def executor_of(context: Context) -> str | None:
    """The system that will run the use; None when it is not known."""
    executor = context.more.get("executor")
    return executor if isinstance(executor, str) and executor else None


def run_at_home(context: Context) -> bool | None:
    """Whether the executor is the provider's own node; None when the executor is not known.

    ``more["provider_node"]`` names the node. Without it the executor must belong to the same
    subject as the product: characters 2 to 19 of both identifiers (N04 section 4).
    """
    executor = executor_of(context)
    if executor is None:
        return None
    own = context.more.get("provider_node")
    if isinstance(own, str) and own:
        return executor == own
    owner = owner_of(context.product)
    return len(owner) == SUBJECT_LENGTH and owner == owner_of(executor)


def not_at_home(context: Context) -> Text:
    """Why ``run_at_home`` does not hold."""
    executor = executor_of(context)
    if executor is None:
        return wording.missing("执行连接器", "executing connector")
    return Text(
        f"合约只允许提供方自己的连接器执行；本次执行连接器为 {executor[:40]}",
        f"Only the provider's own connector may run it; this one is {executor[:40]}",
    )
