"""What can go wrong with a store?"""

from huiqi.kernel.errors import UnavailableError


class StoreUnavailable(UnavailableError):
    """The store's file cannot be read or written, or is being closed; nothing was written.

    Look at the disk and at the rights of the data directory, then start again.
    """

    code = "store.unavailable"
    zh = "数据库 {path} 不可用（{why}），没有写入任何内容"
    en = "The store {path} is not available ({why}); nothing was written"


class StoreFull(StoreUnavailable):
    """The disk is full or the file cannot grow; the whole transaction was undone.

    Make room. The process goes on by itself, a restart is not needed.
    """

    code = "store.full"
    zh = "磁盘已满，{path} 未能写入，本次操作已撤销（{why}）"
    en = "The disk is full; {path} was not written and the operation was undone ({why})"


class StoreLocked(StoreUnavailable):
    """Another process has the store open for writing; one data directory serves one process.

    End the other process. Nothing was written here.
    """

    code = "store.locked"
    zh = "{path} 正被另一个进程使用；一个数据目录只能由一个进程打开"
    en = "{path} is in use by another process; one data directory serves one process"


class StoreDamaged(StoreUnavailable):
    """A page of the store's file is not what was written, or the file is no store.

    Stop the process and restore the newest backup. To other systems this counts as being away,
    so that they keep their messages until the store is whole again.
    """

    code = "store.damaged"
    zh = "数据库 {path} 已损坏（{why}），请停止服务并恢复最近的备份"
    en = "The store {path} is damaged ({why}); stop the process and restore the newest backup"


class StoreTooNew(StoreUnavailable):
    """The store was written by a newer version of this software; nothing was changed.

    Install that version, or restore the backup that was made before it was started.
    """

    code = "store.too_new"
    zh = "数据库 {path} 由更新的版本写入（结构版本 {version}），请安装该版本"
    en = "The store {path} was written by a newer version (schema {version}); install that one"
