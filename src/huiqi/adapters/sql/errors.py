"""What can go wrong with a store?"""

from huiqi.kernel.errors import UnavailableError


class StoreUnavailable(UnavailableError):
    """The store's file cannot be read or written."""

    code = "store.unavailable"
    zh = "数据库 {path} 不可用（{why}），没有写入任何内容"
    en = "The store {path} is not available ({why}); nothing was written"


class StoreFull(StoreUnavailable):
    """The disk is full or the file cannot grow; the whole transaction was undone."""

    code = "store.full"
    zh = "磁盘已满，{path} 未能写入，本次操作已撤销（{why}）"
    en = "The disk is full; {path} was not written and the operation was undone ({why})"


class StoreLocked(StoreUnavailable):
    """Another process has the store open for writing."""

    code = "store.locked"
    zh = "{path} 正被另一个进程使用；一个数据目录只能由一个进程打开"
    en = "{path} is in use by another process; one data directory serves one process"
