"""The command ``twofold`` and its groups."""

from __future__ import annotations

import importlib
import importlib.util

import click

from twofold import __version__
from twofold.cli import (
    alerts,
    approvals,
    apps,
    authoring,
    connections,
    documents,
    erasing,
    health,
    history,
    hub,
    keys,
    links,
    network,
    plans,
    records,
    runs,
    syncs,
    undo,
    up,
    upkeep,
)
from twofold.cli.command import Root


@click.group(cls=Root, example="twofold app list")
@click.version_option(__version__, message="%(prog)s %(version)s")
def twofold() -> None:
    """Keep the customer records of your apps in step with a hub.

    Start with 'twofold app list', then 'twofold connect', 'twofold sync add' and
    'twofold sync run'. Every command takes --json, and --help shows an example of each.
    """


_MODULES = (
    apps,
    connections,
    authoring,
    syncs,
    documents,
    erasing,
    plans,
    links,
    network,
    runs,
    health,
    records,
    history,
    undo,
    approvals,
    alerts,
    hub,
    up,
    keys,
    upkeep,
)

for _module in _MODULES:
    for _command in _module.COMMANDS:
        twofold.add_command(_command)
if importlib.util.find_spec("twofold.cli.demo") is not None:
    for _command in importlib.import_module("twofold.cli.demo").COMMANDS:
        twofold.add_command(_command)
