"""Which codes may stand in a product record, and what do they mean?

NDI-TR-2025-06 (N06): topics section 8.2.2, update frequency table 4, security level table 6.
"""

import re
from collections.abc import Mapping

from huiqi.kernel.text import Text

TOPICS: Mapping[str, Text] = {
    "A0000": Text("基础资源类", "Basic resources"),
    "A0100": Text("人口数据", "Population"),
    "A0200": Text("法人单位数据", "Organisations"),
    "A0300": Text("自然资源和空间地理数据", "Natural resources and geography"),
    "A0400": Text("宏观经济数据", "Macroeconomy"),
    "A0500": Text("科技教育数据", "Science and education"),
    "B0000": Text("行业资源类", "Industry resources"),
    "B0100": Text("农业农村数据", "Agriculture and countryside"),
    "B0200": Text("工业和信息化数据", "Industry and information technology"),
    "B0300": Text("交通运输数据", "Transport"),
    "B0400": Text("商业贸易数据", "Commerce and trade"),
    "B0500": Text("金融保险数据", "Finance and insurance"),
    "C0000": Text("社会民生类", "Society and livelihood"),
    "C0100": Text("教育文化数据", "Education and culture"),
    "C0200": Text("医疗卫生数据", "Health care"),
    "C0300": Text("社会保障数据", "Social security"),
    "C0400": Text("住房城建数据", "Housing and construction"),
    "C0500": Text("生态环境数据", "Environment"),
    "D0000": Text("政务服务类", "Government services"),
    "D0100": Text("行政审批数据", "Administrative approvals"),
    "D0200": Text("公共服务数据", "Public services"),
    "D0300": Text("监管执法数据", "Supervision and enforcement"),
    "D0400": Text("信用数据", "Credit standing"),
    "D0500": Text("应急管理数据", "Emergency management"),
}

UPDATE_FREQUENCIES: Mapping[str, Text] = {
    "001": Text("实时", "real time"),
    "002": Text("每日", "daily"),
    "003": Text("每周", "weekly"),
    "004": Text("每月", "monthly"),
    "005": Text("每季度", "quarterly"),
    "006": Text("每半年", "semiannual"),
    "007": Text("每年", "annual"),
    "008": Text("不定期", "irregular"),
    "009": Text("历史存量", "historical"),
}

# Only "4级" and "5级" are shown: the words of the source collide with state-secret terms.
LEVELS: Mapping[str, Text] = {
    "1": Text("1级（公开）", "level 1 (public)"),
    "2": Text("2级（内部）", "level 2 (internal)"),
    "3": Text("3级（敏感）", "level 3 (sensitive)"),
    "4": Text("4级", "level 4"),
    "5": Text("5级", "level 5"),
}
PUBLIC_LEVEL = "1"

_TOPIC = re.compile(r"[A-D]\d{4}")


def topic_of(code: str) -> Text | None:
    """The meaning of a topic code, None when it is not one.

    The third level (last digit not 0) is left to users (N06 section 8.2.6); it is shown as the
    second-level class it belongs to.

    >>> topic_of("B0301").en
    'Transport'
    """
    if not _TOPIC.fullmatch(code):
        return None
    return TOPICS.get(code) or TOPICS.get(f"{code[:3]}00")
