"""How does anybody check receipts, logs and statements from a terminal?"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from huiqi.bootstrap.audit import check_log
from huiqi.bootstrap.house import House
from huiqi.bootstrap.parts import Parts
from huiqi.evidence.errors import ForgedProof
from huiqi.evidence.service import parse_proof, verify_proof
from huiqi.evidence.types import PROOF_FORMAT, FsckReport
from huiqi.kernel.errors import Language
from huiqi.kernel.text import Text
from huiqi.settings import read_settings
from huiqi.trust.service import suite, suites
from huiqi.trust.types import Member
from huiqi.usage.service import verify_receipt_file
from huiqi.web.system import need
from huiqi.wire.errors import FileUnknownFormat

FAILED = 1


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON list of the members whose public keys you trust.",
)
def verify(file: Path, key_file: Path) -> None:
    """Check a receipt or evidence FILE offline, with nothing but public keys.

    Exit status 0 when every step holds, 1 when one fails; each step is printed.
    """
    language = read_settings().language
    try:
        members = msgspec.json.decode(key_file.read_bytes(), type=tuple[Member, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileUnknownFormat(what=f"{key_file.name}: {error}") from error
    data = file.read_bytes()
    if _format(data) == PROOF_FORMAT:
        genuine = _entry_holds(data, members, language)
    else:
        genuine = _receipt_holds(data, members, language)
    if not genuine:
        sys.exit(FAILED)


class _AnyFile(msgspec.Struct):
    """The one field that every file of ours has."""

    format: str = ""


def _format(data: bytes) -> str:
    try:
        return msgspec.json.decode(data, type=_AnyFile).format
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _receipt_holds(data: bytes, members: Sequence[Member], language: Language) -> bool:
    checked = verify_receipt_file(data, members)
    marks = {True: "✓", False: "✗", None: "–"}
    for step in checked.steps:
        name, finding = step.name.read(language), step.finding.read(language)
        click.echo(f"{marks[step.passed]} {step.number} {name}: {finding}")
    good = Text("回执真实有效", "The receipt is genuine")
    bad = Text("回执未通过验证", "The receipt did not pass")
    click.echo((good if checked.genuine else bad).read(language))
    return checked.genuine


def _entry_holds(data: bytes, members: Sequence[Member], language: Language) -> bool:
    """Whether the entry stands in the log of one of the members, signed with all its keys."""
    reasons: list[str] = []
    for member in members:
        keys = {key.suite: [(key.key_id, key.value)] for key in member.keys}
        try:
            entry = verify_proof(parse_proof(data), keys, check=_signature_holds)
        except ForgedProof as error:
            reasons.append(f"✗ {member.name}: {error.text(language)}")
            continue
        found = Text(
            f"✓ 第 {entry.seq} 条 {entry.kind} {entry.subject} 在 {member.name} 的日志中",
            f"✓ entry {entry.seq} {entry.kind} {entry.subject} is in the log of {member.name}",
        )
        click.echo(found.read(language))
        return True
    click.echo("\n".join(reasons) or "✗")
    return False


def _signature_holds(name: str, public: str, data: bytes, signature: str) -> bool:
    return name in suites() and suite(name).verify(public, data, signature)


@click.command()
@click.option("--only", "prefix", default="", help="Check one system, such as p1.")
def fsck(prefix: str) -> None:
    """Derive whole logs anew and name every place that is not what it was.

    Not while the directory is served. Exit status 0 when all is sound.
    """
    settings = read_settings()
    house = House(settings)
    try:
        house.open()
        wanted = [house.part(prefix)] if prefix else house.systems
        reports = [(parts, _checked_with_progress(parts)) for parts in wanted]
    finally:
        house.close()
    for parts, report in reports:
        _say_report(parts.site.prefix, report, settings.language)
    if not all(report.sound for _parts, report in reports):
        sys.exit(FAILED)


def _checked_with_progress(parts: Parts) -> FsckReport:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(parts.site.prefix, total=None)
        return check_log(parts, lambda done, total: bar.update(task, completed=done, total=total))


def _say_report(prefix: str, report: FsckReport, language: Language) -> None:
    sound = Text("完好", "sound") if report.sound else Text("有问题", "faults")
    counts = Text(
        f"{report.entries} 条存证，{report.documents} 份文件",
        f"{report.entries} entries, {report.documents} documents",
    )
    click.echo(f"{prefix:10} {sound.read(language)}  {counts.read(language)}  {report.root[:16]}")
    for fault in report.faults:
        click.echo(f"  ✗ {fault.where}: {fault.what.read(language)}")
    for left_out in report.unchecked:
        click.echo(f"  – {left_out.read(language)}")


@click.command()
@click.argument("prefix")
def replay(prefix: str) -> None:
    """Compute every closed period of the platform PREFIX again and compare the bytes.

    Not while the directory is served. Exit status 0 when all statements come out the same.
    """
    settings = read_settings()
    house = House(settings)
    same = True
    try:
        settlement = need(house.open().part(prefix).system.settlement)
        for run in settlement.runs():
            found = settlement.replay(run.id)
            same = same and found.same and found.sum_fen == 0
            mark = "✓" if found.same else "✗"
            differing = " ".join(found.differing)
            said = Text(
                f"{mark} 第 {run.number} 期至 {run.until}：{found.statements} 份结算单 {differing}",
                f"{mark} period {run.number} to {run.until}: "
                f"{found.statements} statements {differing}",
            )
            click.echo(said.read(settings.language).rstrip())
    finally:
        house.close()
    if not same:
        sys.exit(FAILED)
