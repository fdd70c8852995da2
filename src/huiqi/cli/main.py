"""Which commands are there, and how does one that fails speak?"""

import os
import sys

import click

from huiqi.cli.audit import fsck, replay, verify
from huiqi.cli.demo.command import demo
from huiqi.cli.hosting import init, invite, reset, serve, user
from huiqi.kernel.errors import HuiqiError
from huiqi.settings import read_language


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="huiqi")
def commands() -> None:
    """Huiqi 徽契: a Trusted Data Space that one person can start with one command.

    Start with `huiqi demo`. Data lies in ./huiqi-data (HUIQI_DATA), the console listens on
    http://127.0.0.1:8600 (HUIQI_HOST, HUIQI_PORT).
    """


for command in (demo, serve, init, invite, user, verify, fsck, replay, reset):
    commands.add_command(command)


def main() -> None:
    """Run one command; a failure is one sentence with its code, and exit status 1."""
    # Whatever this process writes is for its owner alone: data, keys, receipts.
    os.umask(0o077)
    try:
        commands(standalone_mode=False)
    except HuiqiError as error:
        click.echo(f"huiqi: {error.text(read_language())}  [{error.code}]", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("huiqi: stopped", err=True)
        sys.exit(130)
