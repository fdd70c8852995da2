"""What can go wrong between two systems?"""

from huiqi.kernel.errors import ConflictError, IntegrityError, InvalidError, UnavailableError


class PeerUnavailable(UnavailableError):
    """The other system is down, slow or overloaded; the message is kept and sent again.

    Nothing to do here. If it lasts, ask the other side, or the platform for its new address.
    """

    code = "wire.peer_unavailable"
    zh = "对方系统 {peer} 暂时联系不上（{why}），消息已保留，稍后重发"
    en = "The other system {peer} cannot be reached now ({why}); the message is kept and sent again"


class PeerNonsense(UnavailableError):
    """The other system answered something that is not a signed answer to this request.

    The message is kept and sent again. If it lasts, another server may stand at the address, or
    a proxy in between changes what passes.
    """

    code = "wire.peer_nonsense"
    zh = "对方系统 {peer} 的回复无法识别或签名不符（{why}），消息已保留，稍后重发"
    en = "The other system {peer} gave an unusable answer ({why}); the message is kept"


class PeerRefused(ConflictError):
    """The other system understood the request and refused it, with its own code and words.

    The message is not sent again. Its code in brackets has a page of its own.
    """

    code = "wire.peer_refused"
    zh = "对方系统 {peer} 拒绝了请求：{zh}（{reason}）"
    en = "The other system {peer} refused the request: {en} ({reason})"

    @property
    def reason(self) -> str:
        """The stable code that the other system gave."""
        return self.params["reason"]


class MessageUnreadable(InvalidError):
    """A message's headers or body do not follow the interface; nothing was done.

    The sentence names the header or the field; compare it with the interface description.
    """

    code = "wire.message_unreadable"
    zh = "报文“{message}”格式不正确：{what}"
    en = "Message '{message}' is malformed: {what}"


class MessageTooLarge(InvalidError):
    """A message is longer than its interface allows; nothing was done.

    Send less at once: a contract needs some kilobytes, large data travel as projections.
    """

    code = "wire.message_too_large"
    zh = "报文“{message}”超过 {limit} 字节上限"
    en = "Message '{message}' is larger than {limit} bytes"


class InterfaceUnknown(InvalidError):
    """There is no such interface at this system; nothing was done.

    Compare the code with the interface description, and whether a node, a platform or a
    connector was meant.
    """

    code = "wire.interface_unknown"
    zh = "本系统没有接口“{message}”"
    en = "This system has no interface '{message}'"


class FileUnknownFormat(IntegrityError):
    """A file offered as a receipt or key list is not one, or is of an unknown version.

    Ask its sender for the file anew.
    """

    code = "wire.file_unknown_format"
    zh = "文件不是徽契的回执或公钥文件：{what}"
    en = "The file is not a Huiqi receipt or key list: {what}"
