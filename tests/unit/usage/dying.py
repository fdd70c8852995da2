"""A process that is killed at a named place: ``python -m tests.unit.usage.dying FOLDER PLACE``."""

import sys
from pathlib import Path

from huiqi.kernel.steps import end_at
from tests.unit.usage.world import count, open_world, used


def main(folder: str, place: str) -> None:
    """Walk a whole use; the process ends on the way."""
    with open_world(Path(folder)) as world:
        contract = world.contract(count(1))
        (Path(folder) / "contract").write_text(contract.id)
        end_at(place)
        order, outcome = used(world, contract)
        receipt = world.consumer.usage.keep(order, outcome).receipts[0]
        world.provider.usage.countersigned(world.consumer.trust.me(), receipt)


if __name__ == "__main__":
    main(*sys.argv[1:])
