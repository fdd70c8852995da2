"""The engine process: ``python -m huiqi.adapters.engines.child <parent pid> <memory MB>``.

Reads requests from standard input, writes replies to what was standard output, and ends when its
parent does. It holds no key, address or name beyond what a request brings.
"""

import os
import sys

from huiqi.adapters.engines import confinement


def main(parent: int, memory_mb: int) -> None:
    """Confine this process, then serve until the input ends."""
    alone = confinement.at_start(parent, memory_mb)
    out = os.dup(1)
    os.dup2(2, 1)
    # DuckDB starts threads when it is imported, so the confinement has to come first.
    from huiqi.adapters.engines.serving import serve  # noqa: PLC0415

    serve(0, out, alone=alone)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
