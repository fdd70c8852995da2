"""Does a command that cannot be carried out say why, in one clear sentence, and change nothing?"""

import socket
from pathlib import Path

import pytest

from tests.journey.walking import is_chinese
from tests.support.space import Space, huiqi, serving

USCC = "91349900MAXXXX0P1L"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of a node that was never served."""
    data = tmp_path_factory.mktemp("made") / "data"
    done = huiqi("init", "node", *_about("n1"), data=data)
    assert done.returncode == 0, done.stderr
    return data


def _about(prefix: str, subject: str = USCC) -> tuple[str, ...]:
    return ("--prefix", prefix, "--subject", subject, "--name", "x", "--area", "3401")


def _refused(*arguments: str, data: Path, code: str, **more: str) -> str:
    """The one sentence of a command that fails with ``code``."""
    done = huiqi(*arguments, data=data, **more)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("huiqi: ")
    assert lines[0].endswith(f"[{code}]"), lines
    return lines[0]


def test_a_sentence_comes_in_the_language_of_the_reader(data: Path) -> None:
    for command, code, more in (
        (("serve",), "settings.wrong", {"HUIQI_PORT": "abc"}),
        (("serve",), "bootstrap.no_systems", {}),
    ):
        assert is_chinese(_refused(*command, data=data, code=code, **more, HUIQI_LANG="zh"))
        assert not is_chinese(_refused(*command, data=data, code=code, **more))
        other = {**more, "HUIQI_LANG": "", "LANG": "en_GB.UTF-8"}
        assert not is_chinese(_refused(*command, data=data, code=code, **other))


def test_a_wrong_port_is_named(data: Path) -> None:
    for port in ("99999", "²"):
        said = _refused("serve", data=data, code="settings.wrong", HUIQI_PORT=port)
        assert "HUIQI_PORT" in said
        assert port in said
    assert not data.exists()


def test_other_wrong_settings_are_named(data: Path) -> None:
    for name, value in (("HUIQI_LOG_LEVEL", "loud"), ("HUIQI_PUBLIC_URL", "ftp://x")):
        said = _refused("serve", data=data, code="settings.wrong", **{name: value})
        assert name in said
    assert not data.exists()


def test_an_address_of_another_machine_is_named(made: Path) -> None:
    for host in ("no.such.host.invalid", "203.0.113.7"):
        said = _refused("serve", data=made, code="bootstrap.wrong_host", HUIQI_HOST=host)
        assert host in said


def test_ports_past_the_highest_are_not_tried(made: Path) -> None:
    with socket.create_server(("127.0.0.1", 65_535)):
        said = _refused("serve", data=made, code="bootstrap.no_free_port", HUIQI_PORT="65535")
    assert "65535" in said


def test_a_taken_port_gives_the_next_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path / "data", HUIQI_PORT=str(port)) as space:
            other = int(space.base.rpartition(":")[2])
            assert port < other <= port + 20


def test_an_empty_directory_holds_nothing_to_serve(data: Path) -> None:
    for command in (("fsck",), ("invite", "x", "platform")):
        _refused(*command, data=data, code="bootstrap.no_systems")


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    _refused("serve", data=file, code="bootstrap.data_directory_unwritable")
    assert file.read_text() == "mine"


def test_a_damaged_list_of_systems_is_named_and_kept(tmp_path: Path) -> None:
    for text in ("{}", ""):
        (tmp_path / "systems.json").write_text(text)
        said = _refused("serve", data=tmp_path, code="bootstrap.data_directory_damaged")
        assert "systems.json" in said
        assert (tmp_path / "systems.json").read_text() == text


def test_an_unknown_system_is_named(made: Path) -> None:
    for command in (
        ("fsck", "--only", "p7"),
        ("replay", "p7"),
        ("invite", "p7", "platform"),
        ("user", "p7", "u", "--name", "u", "--role", "admin", "--password", "Long-enough-1"),
    ):
        said = _refused(*command, data=made, code="bootstrap.unknown_system")
        assert "p7" in said
        assert "n1" in said


def test_an_invitation_is_bound_only_to_a_code_that_exists(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert huiqi("init", "node", *_about("n1"), data=data).returncode == 0
    with serving(data, command=("serve",)):
        pass  # it founds itself
    command = ("invite", "n1", "platform", "--subject")
    wrong = f"{USCC[:-1]}Z"
    assert wrong in _refused(*command, wrong, data=data, code="kernel.wrong_subject_code")
    made = huiqi(*command, USCC, data=data)
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.strip()) > 40


def test_two_processes_do_not_share_one_directory(space: Space) -> None:
    before = {file: file.stat().st_size for file in space.data.rglob("systems.json")}
    for command in (("serve",), ("demo", "--exit"), ("fsck",)):
        _refused(*command, data=space.data, code="bootstrap.data_directory_in_use")
    init = ("init", "connector", *_about("p9"), "--join", "x")
    _refused(*init, data=space.data, code="bootstrap.data_directory_in_use")
    assert {file: file.stat().st_size for file in before} == before
    # The one that serves has not noticed anything.
    assert space.api("c1").get("/me")["login"] == "consumer"
    assert (space.data / "address").read_text().startswith("http://")


def test_a_wrong_passphrase_opens_nothing(made: Path) -> None:
    assert huiqi("fsck", data=made).returncode == 0
    _refused("serve", data=made, code="trust.key_store_locked", HUIQI_PASSPHRASE="guess")
    assert huiqi("fsck", data=made).returncode == 0


def test_an_organisation_needs_a_code_with_a_right_check_character(made: Path) -> None:
    init = ("init", "connector", *_about("p2", "91349900MAXXXX0P1X"), "--join", "x")
    _refused(*init, data=made, code="kernel.wrong_subject_code")
    assert "p2" not in (made / "systems.json").read_text()


def test_a_prefix_is_used_once(made: Path) -> None:
    _refused("init", "node", *_about("n1"), data=made, code="bootstrap.system_exists")


@pytest.mark.parametrize("prefix", ["P1", "星", "static"])
def test_a_prefix_that_cannot_be_one_is_refused(made: Path, prefix: str) -> None:
    done = huiqi("init", "node", *_about(prefix), data=made)
    assert done.returncode == 2
    assert "--prefix" in done.stderr
    assert (made / "systems.json").read_text().count('"prefix"') == 1


def test_a_code_that_is_no_invitation_makes_no_system(tmp_path: Path) -> None:
    data = tmp_path / "data"
    init = ("init", "connector", *_about("p1"), "--join", "nonsense")
    _refused(*init, data=data, code="trust.wrong_invitation")
    assert not (data / "systems.json").exists()


def test_files_that_are_no_receipt_and_no_keys(tmp_path: Path) -> None:
    nonsense = tmp_path / "x.json"
    nonsense.write_bytes(b"\xff\xfe{")
    keys = tmp_path / "keys.json"
    keys.write_text("[]")
    verify = ("verify", str(keys), "--keys", str(nonsense))
    _refused(*verify, data=tmp_path / "none", code="wire.file_unknown_format")
    done = huiqi("verify", str(nonsense), "--keys", str(keys), data=tmp_path / "none")
    assert done.returncode == 1
    assert "✗ 1 File format" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_unknown_command_points_to_the_help(data: Path) -> None:
    done = huiqi("sever", data=data)
    assert done.returncode == 2
    assert "No such command 'sever'" in done.stderr
    assert "Traceback" not in done.stderr
