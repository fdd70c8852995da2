"""What can go wrong with identity, keys, signatures and log-in?"""

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)


class NotEnrolled(ConflictError):
    """This system has no identity yet; let it join with an invitation of its operator first."""

    code = "trust.not_enrolled"
    zh = "本系统尚未入网，请先用运营方的邀请码加入"
    en = "This system has not joined yet; join with an invitation from its operator first"


class AlreadyEnrolled(ConflictError):
    """This system has an identity already; to become another one, start with an empty folder."""

    code = "trust.already_enrolled"
    zh = "本系统已入网，身份为 {member}；更换身份请使用新的数据目录"
    en = "This system has joined already as {member}; use an empty folder for another identity"


class UnknownMember(MissingError):
    """Nobody known here or at the platform has this identifier or subject code; check it."""

    code = "trust.unknown_member"
    zh = "找不到成员“{member}”，请核对标识，或请对方先入网"
    en = "There is no member '{member}'; check the identifier, or ask the other side to join first"


class MemberSuspended(DeniedError):
    """The member's access is suspended; only the operator who suspended it can resume it."""

    code = "trust.member_suspended"
    zh = "成员“{member}”已被暂停，请联系运营方恢复"
    en = "Member '{member}' is suspended; ask the operator to resume it"


class DirectoryBusy(UnavailableError):
    """Too many members are being looked up at the issuer at this moment; repeat the call shortly.

    If it lasts, somebody sends many messages in the names of systems that nobody knows.
    """

    code = "trust.directory_busy"
    zh = "正在向签发方查询的成员过多，请稍后重试"
    en = "Too many members are being looked up at the issuer now; try again shortly"


class OwnStanding(ConflictError):
    """A system can neither suspend nor resume itself; its issuer can."""

    code = "trust.own_standing"
    zh = "系统不能暂停或恢复自己，请由上级系统处理"
    en = "A system cannot suspend or resume itself; its issuer can"


class DuplicateMember(ConflictError):
    """The organisation has an active system of this kind; suspend the old one to replace it."""

    code = "trust.duplicate_member"
    zh = "统一社会信用代码 {subject} 已有同类系统入网；如需更换，请先暂停原系统"
    en = "Subject {subject} already has a system of this kind; suspend the old one to replace it"


class ForgedSignature(IntegrityError):
    """A signature is not by the stated key over these bytes; do not use the document, ask again."""

    code = "trust.forged_signature"
    zh = "签名验证不通过（密钥 {key}），请勿采信，并请对方重新提供"
    en = "The signature does not hold (key {key}); do not rely on it and ask for a fresh one"


class UnknownSuite(InvalidError):
    """No crypto suite of this name is installed here; agree on one that both sides have."""

    code = "trust.unknown_suite"
    zh = "本系统不支持密码套件“{suite}”，请改用双方都支持的套件"
    en = "Crypto suite '{suite}' is not available here; agree on one that both sides have"


class SigningFailed(UnavailableError):
    """The crypto library gave no signature; try again, then check the keys and the library."""

    code = "trust.signing_failed"
    zh = "密码库“{backend}”未能完成签名或生成密钥，请重试；仍失败请检查密码库"
    en = "Crypto library '{backend}' could not sign or make a key; try again, then check it"


class MalformedStamp(InvalidError):
    """A part of a message's authentication is missing, too long or has forbidden characters.

    Look at the part named in the sentence and send the message again with it set right.
    """

    code = "trust.malformed_stamp"
    zh = "报文认证信息“{part}”格式不正确，请按接口规范填写"
    en = "The message's '{part}' is malformed; follow the interface description"


class StaleMessage(DeniedError):
    """A message's time is over 300 s from ours; set both clocks right and send it again."""

    code = "trust.stale_message"
    zh = "报文时间与本系统相差超过 {window} 秒，请校时后重发"
    en = "The message's time is more than {window} s from ours; set the clock right and resend"


class ReplayedMessage(DeniedError):
    """A message with this sequence number came before; a new attempt needs a new number."""

    code = "trust.replayed_message"
    zh = "报文序号已使用过，疑似重放；重发请使用新的序号"
    en = "This message was received before; a new attempt needs a new sequence number"


class WrongReceiver(DeniedError):
    """The message is meant for another system; check the address it was sent to."""

    code = "trust.wrong_receiver"
    zh = "报文的接收方不是本系统，请核对地址"
    en = "The message is meant for another system; check the address"


class WrongReply(IntegrityError):
    """The reply does not answer the request that was sent; the request has to be sent again."""

    code = "trust.wrong_reply"
    zh = "回复与请求不对应（{part}），请重新发送请求"
    en = "The reply does not belong to the request ({part}); send the request again"


class WrongInvitation(DeniedError):
    """The invitation is not one of this operator's for this kind of system; ask for a new one."""

    code = "trust.wrong_invitation"
    zh = "邀请码不正确或不适用于本系统，请向运营方索取新的邀请码"
    en = "The invitation is not valid for this system; ask the operator for a new one"


class InvitationExpired(WrongInvitation):
    """The invitation is older than 30 days; ask the operator for a new one."""

    code = "trust.invitation_expired"
    zh = "邀请码已过期，请向运营方索取新的邀请码"
    en = "The invitation has expired; ask the operator for a new one"


class InvitationUsed(WrongInvitation):
    """Another system joined with this invitation; ask for a new one and report it if not yours."""

    code = "trust.invitation_used"
    zh = "邀请码已被其他系统使用，请索取新的邀请码；如非本单位使用，请告知运营方"
    en = "The invitation was used by another system; ask for a new one, and tell the operator"


class InvitationForAnother(WrongInvitation):
    """The invitation is bound to another organisation's unified social credit code.

    Join under the code that the operator was given, or ask for an invitation for yours.
    """

    code = "trust.invitation_for_another"
    zh = "邀请码不是发给统一社会信用代码 {subject} 的，请核对代码，或向运营方索取新的邀请码"
    en = "The invitation is not for subject {subject}; check the code, or ask for a new invitation"


class WrongWelcome(IntegrityError):
    """Who answered is not the inviting operator, or vouches for other keys; join over again."""

    code = "trust.wrong_welcome"
    zh = "入网答复不可信（{part}），请核对邀请码与网络后重新加入"
    en = "The answer to the application cannot be trusted ({part}); check and join again"


class WrongApplication(InvalidError):
    """A part of the application to join is missing or wrong; correct it and apply again."""

    code = "trust.wrong_application"
    zh = "入网申请的“{part}”不正确，请更正后重新申请"
    en = "The '{part}' of the application is not valid; correct it and apply again"


class MayNotInvite(DeniedError):
    """Nodes invite platforms, platforms invite connectors; ask the right operator."""

    code = "trust.may_not_invite"
    zh = "本系统不能邀请“{kind}”；节点邀请平台，平台邀请连接器"
    en = "This system cannot invite a '{kind}'; nodes invite platforms, platforms connectors"


class WrongAddress(InvalidError):
    """A system's address must be an http or https URL of up to 300 characters; correct it."""

    code = "trust.wrong_address"
    zh = "系统地址不正确，应为 http 或 https 网址（不超过 300 字符）"
    en = "A system's address must be an http or https URL of up to 300 characters"


class WrongLogin(DeniedError):
    """Login and password do not belong together; try again or have the password set anew."""

    code = "trust.wrong_login"
    zh = "用户名或密码不正确"
    en = "Login or password is wrong"


class LoginBusy(UnavailableError):
    """Too many people log in to this system at this moment; try again shortly.

    If it lasts, somebody guesses passwords: look where the attempts come from.
    """

    code = "trust.login_busy"
    zh = "当前登录人数过多，请稍后再试"
    en = "Too many people log in at this moment; try again shortly"


class TooManyAttempts(DeniedError):
    """Too many failed log-ins for this login or from this place; wait before the next one."""

    code = "trust.too_many_attempts"
    zh = "登录失败次数过多，请 {minutes} 分钟后再试"
    en = "Too many failed log-ins; try again in {minutes} minutes"


class WeakPassword(InvalidError):
    """A password needs 8 to 256 characters with a letter, a digit and a special one (N03 9.1).

    Choose another one; a sentence with a digit in it is easy to remember.
    """

    code = "trust.weak_password"
    zh = "密码须为 8 至 256 个字符，并同时含有字母、数字和特殊字符"
    en = "A password needs 8 to 256 characters with a letter, a digit and a special character"


class WrongUser(InvalidError):
    """A login has 1 to 64 characters without blanks, a user a name and a role; correct it."""

    code = "trust.wrong_user"
    zh = "用户的“{part}”不正确，请更正"
    en = "The user's '{part}' is not valid; correct it"


class DuplicateLogin(ConflictError):
    """Another user of this system has this login; choose another one."""

    code = "trust.duplicate_login"
    zh = "用户名已被使用，请换一个"
    en = "The login is taken; choose another one"


class KeyStoreLocked(IntegrityError):
    """The key file does not open: wrong passphrase, or the file was edited or damaged.

    Start again with the right passphrase; if it is right, restore the file from a backup.
    """

    code = "trust.key_store_locked"
    zh = "密钥库 {file} 打不开：口令不对，或文件被改动或损坏。请核对口令，必要时从备份恢复"
    en = "Key file {file} does not open: wrong passphrase, or it was edited; restore a backup"


class KeyStoreUnwritable(UnavailableError):
    """The key folder cannot be read or written; check its owner, its mode and the disk."""

    code = "trust.key_store_unwritable"
    zh = "密钥目录无法读写（{why}），请检查目录权限与磁盘空间"
    en = "The key folder cannot be read or written ({why}); check its permissions and the disk"


class SealBroken(IntegrityError):
    """Sealed bytes were edited, or sealed by another key store or for another purpose.

    Nothing can be read from them; restore them from a backup.
    """

    code = "trust.seal_broken"
    zh = "密封数据已被改动，或不属于本密钥库，无法解封，请从备份恢复"
    en = "Sealed data was edited or belongs to another key store; restore it from a backup"


class DataKeyGone(MissingError):
    """The data key does not exist or was destroyed; what it encrypted cannot be read any more."""

    code = "trust.data_key_gone"
    zh = "数据密钥不存在或已销毁，用它加密的数据不可再读"
    en = "The data key does not exist or was destroyed; what it encrypted cannot be read"
