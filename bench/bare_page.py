"""The baseline of start: how soon does one page of Litestar on uvicorn answer, and how large is it?

python -m bench.bare_page PORT
"""

import sys

import uvicorn
from litestar import Litestar, MediaType, get


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def page() -> str:
    """A page."""
    return "<!doctype html><title>bare</title>"


def main(port: str) -> None:
    """Serve until Ctrl-C."""
    app = Litestar([page], openapi_config=None)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
