"""What do terms say in plain words?"""

from collections.abc import Iterator

from huiqi.kernel.money import yuan
from huiqi.kernel.text import Text
from huiqi.policy import values, wording
from huiqi.policy.errors import WrongValue
from huiqi.policy.reading import ReadConstraint, ReadDuty, ReadRule, read_policy
from huiqi.policy.types import Mode, Price, RuleKind, Terms
from huiqi.policy.vocabulary import action_name

Clause = tuple[str, Text]

_MODES = {
    Mode.SQL: Text(
        "在使用控制下查询，数据不离开提供方",
        "Queried under usage control; the data stays with its provider",
    ),
    Mode.API: Text("通过受控接口使用", "Used through a controlled interface"),
    Mode.SANDBOX: Text("在数据沙箱中使用", "Used in a data sandbox"),
    Mode.SEALED: Text("以密封容器交付使用", "Delivered in a sealed container"),
    Mode.RAW: Text("交付原始文件", "Delivered as raw files"),
}
_PARAMETERS = {
    "per_use_fen": ("每次使用 {} 元", "{} yuan per use"),
    "per_row_fen": ("每行结果 {} 元", "{} yuan per row of an answer"),
}


def sentences(terms: Terms) -> tuple[Text, ...]:
    """One sentence for each term, in the order of the terms."""
    of_rules = (text for rule in read_policy(terms.policy) for _, text in rule_clauses(rule))
    return (*of_rules, *(text for _, text in scalar_clauses(terms)))


def rule_clauses(read: ReadRule) -> Iterator[Clause]:
    """The clauses of one rule with their paths: its head, its constraints, its duties."""
    yield f"{read.where}.actions", _head(read)
    for constraint in read.constraints:
        yield constraint.where, constraint_sentence(constraint, read.rule.kind)
    for duty in read.duties:
        yield duty.where, duty_sentence(duty, read.rule.kind)


def scalar_clauses(terms: Terms) -> Iterator[Clause]:
    """The clauses that stand beside the rules: length, mode, price."""
    days = terms.days
    yield "days", Text(f"合约自签订起 {days} 天有效", f"Valid for {days} days from signing")
    yield "mode", _MODES[terms.mode]
    yield from _price(terms.price)


def constraint_sentence(read: ReadConstraint, kind: RuleKind) -> Text:
    """One constraint in plain words; under a prohibition as its condition."""
    if kind is RuleKind.PERMISSION and read.term is not None:
        return read.term.sentence()
    said = read.condition()
    if kind is RuleKind.PROHIBITION:
        return Text(f"满足此条件时禁止：{said.zh}", f"Forbidden when {said.en}")
    return Text(f"条件：{said.zh}", f"Condition: {said.en}")


def duty_sentence(read: ReadDuty, kind: RuleKind) -> Text:
    """One duty in plain words, with its time limit."""
    name = action_name(read.duty.action)
    heads = {
        RuleKind.PERMISSION: ("使用前须先完成", "Before the use"),
        RuleKind.PROHIBITION: ("违反后须补救", "Remedy of a breach"),
        RuleKind.OBLIGATION: ("未履行的责任", "Liability when not met"),
    }
    zh, en = heads[kind]
    limit = _within(read.duty.within)
    conditions = [each.condition() for each in read.constraints]
    return Text(
        f"{zh}：{'；'.join([name.zh + limit.zh, *(c.zh for c in conditions)])}",
        f"{en}: {'; '.join([name.en + limit.en, *(c.en for c in conditions)])}",
    )


def _within(within: str) -> Text:
    if not within:
        return Text("", "")
    try:
        said = wording.length(values.span(within))
    except WrongValue:
        return Text(f"（{within[:20]}）", f" ({within[:20]})")
    return Text(f"（{said.zh}内）", f" (within {said.en})")


def _head(read: ReadRule) -> Text:
    names = wording.listed_names(action_name(action) for action in read.rule.actions)
    match read.rule.kind:
        case RuleKind.PERMISSION:
            return Text(f"允许的操作：{names.zh}", f"Permitted: {names.en}")
        case RuleKind.PROHIBITION:
            return Text(f"禁止的操作：{names.zh}", f"Forbidden: {names.en}")
        case RuleKind.OBLIGATION:
            return Text(f"必须履行：{names.zh}", f"Must be done: {names.en}")


def _price(price: Price) -> Iterator[Clause]:
    yield "price.plan", Text(f"价格方案：{price.plan}", f"Price plan: {price.plan}")
    for name, amount in sorted(price.parameters.items()):
        zh, en = _PARAMETERS.get(name, (f"{name}：{{}}", f"{name}: {{}}"))
        said = yuan(amount) if name.endswith("_fen") else str(amount)
        yield f"price.parameters.{name}", Text(zh.format(said), en.format(said))
    fee = f"{price.platform_fee_bp / 100:g}%"
    yield "price.platform_fee_bp", Text(f"平台服务费 {fee}", f"Platform fee {fee}")
    weight = price.joint_weight
    yield (
        "price.joint_weight",
        Text(f"联合使用时的分成权重为 {weight}", f"Weight {weight} in the split of a joint use"),
    )
