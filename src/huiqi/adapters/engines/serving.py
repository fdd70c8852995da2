"""Which reply does each request get inside the engine process?"""

import os

import duckdb
import msgspec

from huiqi.adapters.engines import database, opinion
from huiqi.adapters.engines.frames import (
    DAMAGED,
    LENGTH,
    LONGEST,
    REFUSED,
    UNREADABLE,
    Ask,
    Build,
    Export,
    Failed,
    Load,
    Ready,
    Reply,
    Request,
    framed,
)
from huiqi.adapters.engines.sealed import Damaged

_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
# Enough to find the fault, not enough to carry a table into a log.
LONGEST_TEXT = 500


def serve(source: int, target: int, *, alone: bool) -> None:
    """Answer requests from ``source`` on ``target`` until the input ends."""
    engine: database.Engine | None = None
    while True:
        body = _read(source)
        if body is None:
            return
        request = _decoder.decode(body)
        reply: Reply
        try:
            if isinstance(request, Load) and engine is None:
                engine = database.Engine(request)
                reply = Ready(alone=alone)
            else:
                reply = _act(request, engine)
        except Damaged:
            reply = Failed(kind=DAMAGED, text="authentication failed")
        except opinion.Refused as error:
            reply = Failed(kind=REFUSED, text=str(error)[:LONGEST_TEXT])
        except OSError as error:
            reply = Failed(kind=UNREADABLE, text=str(error)[:LONGEST_TEXT])
        except MemoryError:
            reply = Failed(kind="OutOfMemory", text="address space")
        except (duckdb.Error, RuntimeError, ValueError) as error:
            kind = type(error).__name__.removesuffix("Exception")
            reply = Failed(kind=kind, text=str(error)[:LONGEST_TEXT])
        _write(target, framed(reply))


def _act(request: Request, engine: database.Engine | None) -> Reply:
    match request:
        case Ask() if engine is not None:
            return engine.answer(request)
        case Build() if engine is None:
            return database.build(request)
        case Export() if engine is None:
            return database.export(request)
        case _:
            return Failed(kind=REFUSED, text="not in this order")


def _read(source: int) -> bytes | None:
    head = _exactly(source, LENGTH)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    return _exactly(source, length) if length <= LONGEST else None


def _exactly(source: int, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        piece = os.read(source, min(length - len(parts), 1_048_576))
        if not piece:
            return None
        parts += piece
    return bytes(parts)


def _write(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
