"""What is in this file? Answered by a short-lived process of its own, which alone loads DuckDB.

It reads a ``Request`` from standard input, works in the folder it was started in, writes an
``Answer`` to standard output and ends. Numbered as in the documentation:

1. bound this process: processor time, memory, size of files, no core
2. copy the file in, with the SM3 digest of its bytes
3. Parquet is taken as it is; text is brought to UTF-8, its header read, its types found
4. write the normalised copy: Parquet, Zstandard, usable names
5. count and measure the columns of the copy
"""

import resource
import sys
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes

from huiqi.adapters.sources.exchange import COPY, SOURCE, Answer, Request
from huiqi.catalog.errors import EmptyFile, FileTooLarge, MissingFile
from huiqi.kernel.errors import HuiqiError

_CHUNK = 1_048_576
_MB = 1_048_576
# The interpreter, the engine's code and its threads, beside the memory the engine may use.
_OWN_MEMORY_MB = 2_048
_PARQUET = b"PAR1"
_OPEN_FILES = 256


def main() -> None:
    """Answer the one request on standard input."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    _bound(request)  # 1
    try:
        answer = _profiled(request)
    except HuiqiError as error:
        answer = Answer(code=error.code, params=error.params)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def _bound(request: Request) -> None:
    memory = (request.memory_mb + _OWN_MEMORY_MB) * _MB
    largest = 4 * request.most_bytes + 64 * _MB
    for what, most in (
        (resource.RLIMIT_CPU, request.cpu_s),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, largest),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _profiled(request: Request) -> Answer:
    from huiqi.adapters.sources import tabular  # noqa: PLC0415 - loads DuckDB: in this process only

    source = Path(SOURCE)
    digest, size = _copied(request, source)  # 2
    with tabular.Engine(memory_mb=request.memory_mb, shown=request.shown) as engine:
        take = engine.take_parquet if _is_parquet(source) else engine.take_text  # 3
        encoding = take(source)
        engine.write(Path(COPY))  # 4
        profile = engine.profile(Path(COPY), digest=digest, size=size, encoding=encoding)  # 5
    return Answer(profile=profile)


def _copied(request: Request, target: Path) -> tuple[str, int]:
    state = hashes.Hash(hashes.SM3())
    size = 0
    try:
        with Path(request.file).open("rb") as opened, target.open("wb") as written:
            while chunk := opened.read(_CHUNK):
                size += len(chunk)
                if size > request.most_bytes:
                    raise FileTooLarge(file=request.shown, bytes=size, most=request.most_bytes)
                state.update(chunk)
                written.write(chunk)
    except OSError as error:
        raise MissingFile(file=request.shown) from error
    if size == 0:
        raise EmptyFile(file=request.shown)
    return state.finalize().hex(), size


def _is_parquet(source: Path) -> bool:
    with source.open("rb") as opened:
        return opened.read(len(_PARQUET)) == _PARQUET


if __name__ == "__main__":
    main()
