"""Which purposes of use are there, and which purpose is part of which?

The top terms and their order follow the W3C Data Privacy Vocabulary (DPV 2); names in Chinese and
the purposes without a DPV term are ours. A declared purpose is a claim bound to a signed order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from huiqi.kernel.text import Text


@dataclass(frozen=True)
class Purpose:
    """One purpose: our code, its parent's code ("" at the top), names, and its DPV term."""

    code: str
    parent: str
    zh: str
    en: str
    dpv: str = ""

    @property
    def name(self) -> Text:
        """What people call it."""
        return Text(self.zh, self.en)


_ALL = (
    Purpose("research", "", "研究开发", "research and development", "ResearchAndDevelopment"),
    Purpose("academic-research", "research", "学术研究", "academic research", "AcademicResearch"),
    Purpose("commercial-research", "research", "商业研究", "commercial research",
            "CommercialResearch"),
    Purpose("non-commercial-research", "research", "非商业研究", "non-commercial research",
            "NonCommercialResearch"),
    Purpose("model-training", "research", "模型训练", "model training"),
    Purpose("statistics", "", "统计分析", "statistics"),
    Purpose("official-statistics", "statistics", "政府统计", "official statistics"),
    Purpose("market-statistics", "statistics", "市场统计", "market statistics"),
    Purpose("service-operation", "", "服务运营", "service operation", "ServiceManagement"),
    Purpose("service-provision", "service-operation", "提供服务", "service provision",
            "ServiceProvision"),
    Purpose("service-optimisation", "service-operation", "服务优化", "service optimisation",
            "ServiceOptimisation"),
    Purpose("scheduling", "service-operation", "调度排程", "scheduling"),
    Purpose("marketing", "", "市场营销", "marketing", "Marketing"),
    Purpose("advertising", "marketing", "广告", "advertising", "Advertising"),
    Purpose("personalised-advertising", "advertising", "个性化广告", "personalised advertising",
            "PersonalisedAdvertising"),
    Purpose("targeted-advertising", "personalised-advertising", "定向广告",
            "targeted advertising", "TargetedAdvertising"),
    Purpose("direct-marketing", "marketing", "直接营销", "direct marketing", "DirectMarketing"),
    Purpose("personalisation", "", "个性化", "personalisation", "Personalisation"),
    Purpose("legal-obligation", "", "履行法定义务", "meeting an obligation",
            "FulfilmentOfObligation"),
    Purpose("legal-compliance", "legal-obligation", "合规", "legal compliance",
            "LegalCompliance"),
    Purpose("public-benefit", "", "公共利益", "public benefit", "PublicBenefit"),
    Purpose("emergency-response", "public-benefit", "应急处置", "emergency response"),
    Purpose("public-service", "public-benefit", "公共服务", "public service"),
    Purpose("security", "", "安全保障", "enforcing security", "EnforceSecurity"),
    Purpose("fraud-prevention", "security", "反欺诈", "fraud prevention and detection",
            "FraudPreventionAndDetection"),
    Purpose("risk-control", "security", "风险控制", "risk control"),
    Purpose("customer-management", "", "客户管理", "customer management", "CustomerManagement"),
    Purpose("vendor-management", "", "供应商管理", "vendor management", "VendorManagement"),
    Purpose("human-resources", "", "人力资源管理", "human resource management",
            "HumanResourceManagement"),
    Purpose("organisation-governance", "", "组织治理", "organisation governance",
            "OrganisationGovernance"),
)  # fmt: skip

PURPOSES: Mapping[str, Purpose] = {purpose.code: purpose for purpose in _ALL}


def _spelled(purpose: Purpose) -> tuple[str, ...]:
    known = (purpose.code, purpose.zh, purpose.en)
    if not purpose.dpv:
        return known
    return (*known, f"dpv:{purpose.dpv}", f"https://w3id.org/dpv#{purpose.dpv}")


_SPELLINGS = {spelling: purpose.code for purpose in _ALL for spelling in _spelled(purpose)}
# Every spelling that a declared purpose may have.
KNOWN_SPELLINGS = frozenset(_SPELLINGS)


def purpose_code(spelling: str) -> str:
    """The code of a purpose from its code, DPV term or name; an unknown one comes back as it is.

    >>> purpose_code("dpv:Marketing"), purpose_code("统计分析"), purpose_code("fun")
    ('marketing', 'statistics', 'fun')
    """
    return _SPELLINGS.get(spelling.strip(), spelling)


def ancestors(code: str) -> tuple[str, ...]:
    """``code`` itself, its parent, and so on to the top.

    >>> ancestors("targeted-advertising")
    ('targeted-advertising', 'personalised-advertising', 'advertising', 'marketing')
    """
    chain = [code]
    while PURPOSES[chain[-1]].parent:
        chain.append(PURPOSES[chain[-1]].parent)
    return tuple(chain)


def below(code: str) -> frozenset[str]:
    """``code`` and every purpose that is part of it, as codes."""
    return frozenset(each for each in PURPOSES if code in ancestors(each))


def spellings(codes: frozenset[str]) -> frozenset[str]:
    """Every spelling of any of ``codes``: what a declared purpose is compared with."""
    return frozenset(spelling for spelling, code in _SPELLINGS.items() if code in codes)
