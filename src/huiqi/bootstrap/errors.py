"""What can go wrong before anything runs?"""

from huiqi.kernel.errors import (
    ConflictError,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)


class DataDirectoryInUse(ConflictError):
    """Another process serves this data directory.

    End that process first, or give this one a directory of its own with ``HUIQI_DATA``.
    """

    code = "bootstrap.data_directory_in_use"
    zh = "数据目录 {path} 正被另一个进程使用；请先结束它，或用 HUIQI_DATA 指定另一个目录"
    en = "Data directory {path} is in use by another process; end it or set HUIQI_DATA"


class DataDirectoryDamaged(IntegrityError):
    """A file of the data directory cannot be read, or the folder is not one of Huiqi's.

    Nothing was changed. Restore the file from a backup or choose another directory.
    """

    code = "bootstrap.data_directory_damaged"
    zh = "{path} 无法识别：{why}"
    en = "{path} cannot be read: {why}"


class DataDirectoryUnwritable(UnavailableError):
    """The data directory cannot be made or written: no room, no right, or a file in its place.

    Nothing was changed. Make room, set the rights, or choose another directory (``HUIQI_DATA``).
    """

    code = "bootstrap.data_directory_unwritable"
    zh = "无法写入 {path}：{why}；原有内容未改动"
    en = "{path} cannot be written: {why}; what was there is unchanged"


class SystemExists(ConflictError):
    """A system with this prefix lives in the data directory already. Choose another prefix."""

    code = "bootstrap.system_exists"
    zh = "数据目录里已有系统 {prefix}"
    en = "The data directory already holds a system {prefix}"


class NoSystems(ConflictError):
    """The data directory holds no system yet. Make one with ``huiqi init``, or run the demo."""

    code = "bootstrap.no_systems"
    zh = "数据目录 {path} 里还没有系统；请先运行 huiqi init 或 huiqi demo"
    en = "Data directory {path} holds no system yet; run `huiqi init` or `huiqi demo`"


class JoiningRefused(ConflictError):
    """The platform or node that was to admit a system refused its application.

    Ask its operator for a new invitation and run ``huiqi init`` with it once more: a system that
    has not joined yet is replaced.
    """

    code = "bootstrap.joining_refused"
    zh = "系统 {prefix} 未被接纳：{zh}。请向运营方索取新的邀请码，再次运行 huiqi init"
    en = "System {prefix} was not admitted: {en}. Ask for a new invitation and run huiqi init again"


class NoFreePort(UnavailableError):
    """The wanted port and the twenty after it are taken. Set ``HUIQI_PORT`` to a free one."""

    code = "bootstrap.no_free_port"
    zh = "端口 {port} 起连续 {tried} 个都被占用，请用 HUIQI_PORT 指定空闲端口"
    en = "Port {port} and the {tried} after it are taken; set HUIQI_PORT to a free one"


class UnknownSystem(MissingError):
    """No system of this prefix lives in the data directory. ``systems.json`` there names them."""

    code = "bootstrap.unknown_system"
    zh = "数据目录里没有系统 {prefix}；现有：{known}"
    en = "The data directory holds no system {prefix}; it holds {known}"


class WrongHost(InvalidError):
    """The address to listen on is not one of this machine. Correct ``HUIQI_HOST``."""

    code = "bootstrap.wrong_host"
    zh = "无法在地址 {host} 上监听（{why}），请检查 HUIQI_HOST"
    en = "Cannot listen on {host} ({why}); check HUIQI_HOST"
