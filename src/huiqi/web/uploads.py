"""Where does an uploaded file lie while it is profiled, and under which name?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from litestar.datastructures import UploadFile

from huiqi.web.system import System

CHUNK = 1 << 20
# File systems take 255 bytes; a Chinese character has three.
LONGEST_NAME = 80
NAMELESS = "upload"


def safe_name(given: str) -> str:
    r"""The last part of a name that a browser sent, for messages and for one folder of ours.

    >>> safe_name("C:\\data\\航班.csv"), safe_name("../.."), safe_name("a\0b")
    ('航班.csv', 'upload', 'upload')
    """
    name = given.replace("\\", "/").rpartition("/")[2]
    fits = name.isprintable() and name not in {"", ".", ".."}
    return name[-LONGEST_NAME:] if fits else NAMELESS


@contextmanager
def laid_down(system: System, upload: UploadFile) -> Iterator[Path]:
    """The uploaded file in a folder of its own, gone with it afterwards."""
    with TemporaryDirectory(prefix="huiqi-upload-", dir=system.uploads) as folder:
        target = Path(folder) / safe_name(upload.filename)
        upload.file.seek(0)
        with target.open("wb") as file:
            while chunk := upload.file.read(CHUNK):
                file.write(chunk)
        yield target
