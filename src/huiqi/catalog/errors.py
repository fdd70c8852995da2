"""What can go wrong with resources, products and identifiers?"""

from huiqi.kernel.errors import (
    ConflictError,
    DeniedError,
    IntegrityError,
    InvalidError,
    MissingError,
    UnavailableError,
)


class UnknownResource(MissingError):
    """No resource with this identifier is registered here; look at the list of resources."""

    code = "catalog.unknown_resource"
    zh = "找不到数据资源“{id}”，请在资源列表中核对标识"
    en = "There is no resource '{id}' here; check the identifier on the list of resources"


class UnknownProduct(MissingError):
    """No such product is in these books, or it is not listed now.

    Search the catalogue again; a product that was withdrawn or is under review is not offered.
    """

    code = "catalog.unknown_product"
    zh = "找不到数据产品“{id}”，或该产品当前未上架"
    en = "There is no product '{id}', or it is not listed now"


class DuplicateResource(ConflictError):
    """A file with exactly these bytes is registered already; use the resource that is there."""

    code = "catalog.duplicate_resource"
    zh = "内容相同的文件已登记为资源“{name}”（{id}），请直接使用该资源"
    en = "A file with the same content is registered as '{name}' ({id}); use that resource"


class DuplicateProduct(ConflictError):
    """Another product of yours has this name or this table name; choose a different one."""

    code = "catalog.duplicate_product"
    zh = "您已有同名或同表名的产品“{name}”（{id}），请更换名称或表名"
    en = "You have a product '{name}' ({id}) with this name or table name; choose another"


class OldVersion(ConflictError):
    """A different record under a known identifier must carry a higher version.

    Raise the version and sign the record again.
    """

    code = "catalog.old_version"
    zh = "产品 {id} 已有版本 {known}，内容不同的登记必须使用更高版本号（收到 {got}）"
    en = "Product {id} has version {known}; a different record needs a higher one (got {got})"


class NotOwner(DeniedError):
    """Somebody spoke about a thing that belongs to another organisation or connector.

    Only the connector named in the product's record may register or withdraw it.
    """

    code = "catalog.not_owner"
    zh = "{sender} 不是“{id}”的所属主体或连接器，不能执行该操作"
    en = "{sender} is not the owner or connector of '{id}' and may not do this"


class NotPlatform(DeniedError):
    """A review notice came from a system that is not this connector's platform.

    It was ignored; if it repeats, tell the operator of the platform.
    """

    code = "catalog.not_platform"
    zh = "{sender} 不是本连接器的服务平台，审核通知未采纳"
    en = "{sender} is not the platform of this connector; its review notice was not taken"


class ForgedRecord(IntegrityError):
    """A product record is not what its provider signed, or carries an identifier that is not its.

    Do not rely on it. The provider must sign and register the record again.
    """

    code = "catalog.forged_record"
    zh = "产品登记信息不可信：{why}"
    en = "The product record cannot be trusted: {why}"


class InvalidOffer(InvalidError):
    """A field of an offer or record is missing, too long or not a known code.

    Correct the field that the sentence names and publish again.
    """

    code = "catalog.invalid_offer"
    zh = "产品信息“{field}”不符合要求：{zh}"
    en = "Field '{field}' of the product is not acceptable: {en}"


class TermsRefused(InvalidError):
    """The terms hold something unknown, contradictory or not enforceable here.

    Each sentence names one fault; correct all of them and publish again.
    """

    code = "catalog.terms_refused"
    zh = "条款不能发布：{zh}"
    en = "These terms cannot be published: {en}"


class UnknownColumn(InvalidError):
    """A column name does not occur in the resource; compare with the profile of the file."""

    code = "catalog.unknown_column"
    zh = "资源中没有列“{column}”，请与资源的列清单核对"
    en = "The resource has no column '{column}'; compare with the list of its columns"


class WrongLevel(InvalidError):
    """A sensitivity level must be one of 1 to 5 (N06 table 6).

    Correct the level of the column named in the sentence and send the form again.
    """

    code = "catalog.wrong_level"
    zh = "列“{column}”的安全等级“{level}”无效，应为 1 至 5"
    en = "Level '{level}' of column '{column}' is not valid; it must be 1 to 5"


class MissingFile(MissingError):
    """There is no file under this path on the connector's machine; check the path."""

    code = "catalog.missing_file"
    zh = "找不到文件“{file}”，请核对路径"
    en = "There is no file '{file}'; check the path"


class NotAFile(InvalidError):
    """The path leads to a folder or a device; name one CSV or Parquet file."""

    code = "catalog.not_a_file"
    zh = "“{file}”不是普通文件，请指定一个 CSV 或 Parquet 文件"
    en = "'{file}' is not a regular file; name one CSV or Parquet file"


class FileOutside(DeniedError):
    """The file lies outside the folders from which this connector may take data.

    Copy it into one of the allowed folders, or have the operator allow its folder.
    """

    code = "catalog.file_outside"
    zh = "“{file}”不在本连接器允许读取的目录内"
    en = "'{file}' lies outside the folders this connector may read"


class FileTooLarge(InvalidError):
    """The file is larger than this connector takes; split it, or store it as Parquet."""

    code = "catalog.file_too_large"
    zh = "文件“{file}”有 {bytes} 字节，超过 {most} 字节上限，请拆分或改存为 Parquet"
    en = "'{file}' has {bytes} bytes, over the limit of {most}; split it or store it as Parquet"


class EmptyFile(InvalidError):
    """The file has no bytes, or a header and no rows; export it again with its rows."""

    code = "catalog.empty_file"
    zh = "文件“{file}”没有数据行，请重新导出"
    en = "'{file}' holds no rows of data; export it again"


class UnreadableFile(InvalidError):
    """The file is neither CSV text nor Parquet, or it is damaged.

    Save a workbook as CSV (UTF-8); make sure that every line has as many cells as the header
    and that quotes are closed.
    """

    code = "catalog.unreadable_file"
    zh = "文件“{file}”无法读取：{zh}"
    en = "'{file}' cannot be read: {en}"


class WrongEncoding(InvalidError):
    """The text is in no encoding that can be told with certainty; save it as UTF-8."""

    code = "catalog.wrong_encoding"
    zh = "无法确定文件“{file}”的文字编码，请另存为 UTF-8 或 GB18030"
    en = "The text encoding of '{file}' cannot be told; save it as UTF-8 or GB18030"


class WrongHeader(InvalidError):
    """A name in the header is empty, a number, too long, or occurs twice.

    The first line of a CSV file must name every column, each with a different name.
    """

    code = "catalog.wrong_header"
    zh = "文件“{file}”第 {position} 列的列名“{name}”不可用：首行必须为每列给出不重复的名称"
    en = "'{file}', column {position}: name '{name}' is not usable; line 1 must name each column"


class UnsupportedColumn(InvalidError):
    """A column holds nested or binary values, which queries under contract cannot use.

    Leave the column out or flatten it, and register the file again.
    """

    code = "catalog.unsupported_column"
    zh = "列“{column}”的类型 {type} 暂不支持，请展开或去除该列"
    en = "Column '{column}' has the type {type}, which is not supported; flatten or drop it"


class ProfilingFailed(UnavailableError):
    """Reading the file took too long, too much memory, or the reading process died.

    Try again; if it repeats, split the file.
    """

    code = "catalog.profiling_failed"
    zh = "读取文件“{file}”未能完成（{why}），请重试或拆分文件"
    en = "Reading '{file}' did not finish ({why}); try again or split the file"


class AllotmentDenied(DeniedError):
    """An identifier was asked for in the name of another organisation.

    A connector may ask for its own organisation only; a platform for its members.
    """

    code = "catalog.allotment_denied"
    zh = "{sender} 不能为主体 {subject} 申请标识"
    en = "{sender} may not ask for identifiers of subject {subject}"


class KindNotAllotted(InvalidError):
    """This node gives out identifiers of business nodes, connectors, products and resources only.

    Node identifiers come from the node above.
    """

    code = "catalog.kind_not_allotted"
    zh = "本节点不赋予“{kind}”类标识，请向上级节点申请"
    en = "This node does not allot identifiers of kind '{kind}'; ask the node above"


class ForgedIdentifier(IntegrityError):
    """The node answered with an identifier that does not fit the request; nothing was kept.

    Try again, then ask the operator of the node.
    """

    code = "catalog.forged_identifier"
    zh = "上级节点返回的标识“{identifier}”与申请不符，未采用"
    en = "The node answered with '{identifier}', which does not fit the request; it was not used"


class IdentifiersExhausted(UnavailableError):
    """No free random code was found for this owner and area; try again."""

    code = "catalog.identifiers_exhausted"
    zh = "暂时未能为主体 {subject} 生成不重复的标识，请重试"
    en = "No free identifier was found for subject {subject}; try again"
