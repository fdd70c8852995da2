"""What is wrong or doubtful in terms, before anybody publishes or signs them?"""

from collections.abc import Iterator, Mapping, Sequence

from huiqi.kernel.canonical import LARGEST_INTEGER
from huiqi.kernel.text import Text
from huiqi.policy import values
from huiqi.policy.ceilings import wider
from huiqi.policy.conflicts import conflicts
from huiqi.policy.enforceability import term_reports
from huiqi.policy.errors import WrongValue
from huiqi.policy.reading import ReadRule, read_policy
from huiqi.policy.types import Duty, Finding, Price, RuleKind, Terms
from huiqi.policy.vocabulary import ACTIONS

# Ten years: longer contracts outlive their keys.
LONGEST_DAYS = 3_650
ALL_BASIS_POINTS = 10_000
# More is no contract that a person can read, and would make the comparison of rules slow.
MOST_RULES = 50
MOST_CONSTRAINTS = 50


def findings(
    terms: Terms,
    *,
    columns: Sequence[str] | None = None,
    ceiling: Terms | None = None,
    types: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Every finding, in the order of the terms; nothing with an error can be signed.

    ``columns`` are those of the product, ``types`` their DuckDB types as far as they are known,
    ``ceiling`` the provider's listed terms.
    """
    if _too_large(terms) or (ceiling is not None and _too_large(ceiling)):
        text = Text("规则或条件过多（各最多 50 条）", "Too many rules or conditions (50 of each)")
        return (Finding("error", "policy.too_many", "rules", text),)
    rules = read_policy(terms.policy)
    found = [*_structure(terms), *_words(rules)]
    known = {finding.where for finding in found}
    found += [f for f in _not_enforceable(terms) if f.where not in known]
    found += conflicts(rules)
    if columns is not None:
        found += _columns(rules, frozenset(columns))
    if types:
        found += _types(rules, types)
    if ceiling is not None:
        found += wider(terms, ceiling)
    return tuple(dict.fromkeys(found))


def _too_large(terms: Terms) -> bool:
    rules = terms.policy.rules
    longest = max((len(rule.constraints) + len(rule.duties) for rule in rules), default=0)
    return len(rules) > MOST_RULES or longest > MOST_CONSTRAINTS


def _structure(terms: Terms) -> Iterator[Finding]:
    if not 1 <= terms.days <= LONGEST_DAYS:
        text = Text("期限须为 1 至 3650 天", "The length must be 1 to 3650 days")
        yield Finding("error", "policy.days", "days", text)
    yield from _price(terms.price)
    if not any(rule.kind is RuleKind.PERMISSION for rule in terms.policy.rules):
        text = Text(
            "没有任何允许策略，什么都不能用", "Nothing is permitted, so nothing can be used"
        )
        yield Finding("error", "policy.nothing_permitted", "rules", text)


def _price(price: Price) -> Iterator[Finding]:
    numbers = {f"price.parameters.{name}": n for name, n in price.parameters.items()}
    numbers["price.joint_weight"] = price.joint_weight
    for where, number in numbers.items():
        if not 0 <= number <= LARGEST_INTEGER:
            text = Text(
                "价格参数不能为负数，也不能过大", "A price parameter is negative or too large"
            )
            yield Finding("error", "policy.price", where, text)
    if not 0 <= price.platform_fee_bp <= ALL_BASIS_POINTS:
        text = Text(
            "平台服务费须为 0 至 10000（万分之一）",
            "The platform's fee must be 0 to 10000 basis points",
        )
        yield Finding("error", "policy.platform_fee", "price.platform_fee_bp", text)


def _words(rules: Sequence[ReadRule]) -> Iterator[Finding]:
    for rule in rules:
        if not rule.rule.actions:
            text = Text("规则没有操作", "The rule names no action")
            yield Finding("error", "policy.no_actions", rule.where, text)
        for i, action in enumerate(rule.rule.actions):
            if action not in ACTIONS:
                yield _unknown_action(action, f"{rule.where}.actions[{i}]")
        for duty in rule.duties:
            yield from _duty(duty.duty, duty.where)
        yield from (read.finding for read in rule.everything() if read.finding is not None)
        yield from _repeated(rule)


def _unknown_action(action: str, where: str) -> Finding:
    text = Text(f"未知的操作“{action[:40]}”", f"Unknown action '{action[:40]}'")
    return Finding("error", "policy.unknown_action", where, text)


def _duty(duty: Duty, where: str) -> Iterator[Finding]:
    if duty.action not in ACTIONS:
        yield _unknown_action(duty.action, where)
    if duty.within:
        try:
            values.span(duty.within)
        except WrongValue as wrong:
            yield Finding("error", wrong.code, where, Text(wrong.text("zh"), wrong.text("en")))


def _repeated(rule: ReadRule) -> Iterator[Finding]:
    seen = []
    for read in rule.constraints:
        if read.constraint in seen:
            text = Text("条件重复", "The condition is repeated")
            yield Finding("warning", "policy.repeated", read.where, text)
        seen.append(read.constraint)


def _not_enforceable(terms: Terms) -> Iterator[Finding]:
    for line in term_reports(terms):
        if line.strength is None:
            text = Text(f"{line.term.zh}：{line.reason.zh}", f"{line.term.en}: {line.reason.en}")
            yield Finding("error", "policy.not_enforceable", line.where, text)


def _columns(rules: Sequence[ReadRule], columns: frozenset[str]) -> Iterator[Finding]:
    for rule in rules:
        for read in rule.constraints:
            for column in read.term.columns() if read.term else ():
                if column not in columns:
                    text = Text(f"产品没有字段“{column[:60]}”", f"No such column: '{column[:60]}'")
                    yield Finding("error", "policy.unknown_column", read.where, text)


def _types(rules: Sequence[ReadRule], types: Mapping[str, str]) -> Iterator[Finding]:
    for rule in rules:
        for read in rule.constraints:
            for text in read.term.misfits(types) if read.term else ():
                yield Finding("error", "policy.wrong_literal", read.where, text)
