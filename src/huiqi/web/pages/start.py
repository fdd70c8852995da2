"""Which systems run here, and what is the main job?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from huiqi.kernel.text import Text
from huiqi.trust.types import SystemKind
from huiqi.web.i18n import Tongue, mark
from huiqi.web.words import KIND, KIND_SENTENCE

# The main job, one verb per step (DESIGN section 1); the fifth and sixth leave evidence.
STATIONS = (
    ("done", mark("发布"), mark("提供方登记数据，写明条件")),
    ("done", mark("发现"), mark("使用方按关键词检索")),
    ("done", mark("协商"), mark("逐条比对，来回修改")),
    ("done", mark("签署"), mark("双方签名，平台备案")),
    ("done", mark("使用"), mark("按合约计算，数据不出域")),
    ("sealed", mark("存证"), mark("每次使用都有回执")),
    ("done", mark("结算"), mark("按回执分账，精确到分")),
)


@dataclass(frozen=True)
class Hosted:
    """One system of this process."""

    href: str
    title: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class Station:
    """One step of the main job."""

    tone: str
    word: str
    sentence: str


@dataclass(frozen=True)
class StartPage:
    """The first page of this process."""

    systems: tuple[Hosted, ...]
    stations: tuple[Station, ...]


def start_page(tongue: Tongue, systems: Mapping[str, tuple[Text, SystemKind]]) -> StartPage:
    """The systems by prefix with title and kind: the platform, connectors, the node."""
    order = {SystemKind.PLATFORM: 0, SystemKind.CONNECTOR: 1, SystemKind.NODE: 2}
    sorted_systems: Iterable[tuple[str, tuple[Text, SystemKind]]] = sorted(
        systems.items(), key=lambda item: (order[item[1][1]], item[0])
    )
    return StartPage(
        systems=tuple(
            Hosted(
                f"/{prefix}/",
                tongue.read(title),
                tongue.say(KIND[kind]),
                tongue.say(KIND_SENTENCE[kind]),
            )
            for prefix, (title, kind) in sorted_systems
        ),
        stations=tuple(
            Station(tone, tongue.say(word), tongue.say(sentence))
            for tone, word, sentence in STATIONS
        ),
    )
