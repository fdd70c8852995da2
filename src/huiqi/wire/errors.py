"""What can go wrong between two systems?"""

from huiqi.kernel.errors import ConflictError, IntegrityError, InvalidError, UnavailableError


class PeerUnavailable(UnavailableError):
    """The other system is down, slow or overloaded; the message is kept and sent again."""

    code = "wire.peer_unavailable"
    zh = "对方系统 {peer} 暂时联系不上（{why}），消息已保留，稍后重发"
    en = "The other system {peer} cannot be reached now ({why}); the message is kept and sent again"


class PeerNonsense(UnavailableError):
    """The other system answered something that is not a signed answer to this request."""

    code = "wire.peer_nonsense"
    zh = "对方系统 {peer} 的回复无法识别或签名不符（{why}），消息已保留，稍后重发"
    en = "The other system {peer} gave an unusable answer ({why}); the message is kept"


class PeerRefused(ConflictError):
    """The other system understood the request and refused it, with its own code and words."""

    code = "wire.peer_refused"
    zh = "对方系统 {peer} 拒绝了请求：{zh}（{reason}）"
    en = "The other system {peer} refused the request: {en} ({reason})"

    @property
    def reason(self) -> str:
        """The stable code that the other system gave."""
        return self.params["reason"]


class MessageUnreadable(InvalidError):
    """A message's headers or body do not follow the interface."""

    code = "wire.message_unreadable"
    zh = "报文“{message}”格式不正确：{what}"
    en = "Message '{message}' is malformed: {what}"


class MessageTooLarge(InvalidError):
    """A message is longer than its interface allows."""

    code = "wire.message_too_large"
    zh = "报文“{message}”超过 {limit} 字节上限"
    en = "Message '{message}' is larger than {limit} bytes"


class InterfaceUnknown(InvalidError):
    """There is no such interface at this system."""

    code = "wire.interface_unknown"
    zh = "本系统没有接口“{message}”"
    en = "This system has no interface '{message}'"


class FileUnknownFormat(IntegrityError):
    """A file offered as a receipt or key list is not one."""

    code = "wire.file_unknown_format"
    zh = "文件不是徽契的回执或公钥文件：{what}"
    en = "The file is not a Huiqi receipt or key list: {what}"
