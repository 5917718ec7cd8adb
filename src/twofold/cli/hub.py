"""``twofold hub``: act as a person on the hub inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.confirmation import confirm
from twofold.cli.hub_clients import client
from twofold.cli.hub_owners import owners
from twofold.cli.hub_tokens import token
from twofold.cli.output import reply, say, shown, table
from twofold.core.records import Fields, Record
from twofold.core.values import is_blank
from twofold.services import hub as service

_SET = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A value; an empty one clears. Several values of one field are separated by ';'.",
)
_TYPE = click.argument("object_type", metavar="TYPE")
_ID = click.argument("record_id", metavar="ID")


@click.group(cls=Group, example="twofold hub records list contact")
def hub() -> None:
    """The hub inside Twofold."""


@hub.group(example="twofold hub records list contact")
def records() -> None:
    """Contacts, companies and deals in the hub; the next run takes changes along."""


@records.command("list", example="twofold hub records list contact --limit 10")
@_TYPE
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", default="", metavar="ID", help="Go on behind this id.")
def list_(object_type: str, limit: int, after: str) -> None:
    """List records by id."""
    found = ask(lambda here: service.page(here, object_type, after, limit))
    if as_json():
        reply({"records": [_described(one) for one in found.records], "next": found.next})
        return
    rows = [
        (one.id, "; ".join(f"{name}={shown(value)}" for name, value in _held(one).items()))
        for one in found.records
    ]
    table(("id", "values"), rows, "None.")
    if found.next is not None:
        say(f"There are more: --after {found.next}")


@records.command(example="twofold hub records show contact 17")
@_TYPE
@_ID
def show(object_type: str, record_id: str) -> None:
    """Show one record with its associations."""
    _show(ask(lambda here: service.one(here, object_type, record_id)))


@records.command(example="twofold hub records create contact --set email=ada@example.org")
@_TYPE
@_SET
def create(object_type: str, given: Sequence[str]) -> None:
    """Make a record."""
    _show(ask(lambda here: service.create(here, object_type, _texts(given))))


@records.command(example="twofold hub records edit contact 17 --set phone='+31 20 123 4567'")
@_TYPE
@_ID
@_SET
def edit(object_type: str, record_id: str, given: Sequence[str]) -> None:
    """Change values of a record."""
    _show(ask(lambda here: service.edit(here, object_type, record_id, _texts(given))))


@records.command(example="twofold hub records delete contact 17 --yes")
@_TYPE
@_ID
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(object_type: str, record_id: str, yes: bool) -> None:
    """Take a record out of the hub. No app deletes its twin."""
    ask(lambda here: service.one(here, object_type, record_id))
    confirm(f"delete the {object_type} {record_id} in the hub", yes)
    ask(lambda here: service.delete(here, object_type, record_id))
    if as_json():
        reply({"deleted": record_id})
    else:
        say(f"Deleted {object_type} {record_id}.")


@records.command(example="twofold hub records associate contact 17 company 4")
@_TYPE
@_ID
@click.argument("association")
@click.argument("target", metavar="TARGET_ID")
@click.option("--not-primary", is_flag=True, help="Leave the primary one as it is.")
@click.option("--label", "labels", multiple=True, help="What the tie means, such as Adviser.")
@click.option("--remove", is_flag=True, help="Cut the tie instead.")
def associate(
    object_type: str,
    record_id: str,
    association: str,
    target: str,
    not_primary: bool,
    labels: Sequence[str],
    remove: bool,
) -> None:
    """Tie a record to another one, as its primary one."""
    _show(
        ask(
            lambda here: service.associate(
                here,
                object_type,
                record_id,
                association,
                target,
                primary=not not_primary,
                remove=remove,
                labels=labels,
            )
        )
    )


@records.command("import", example="twofold hub records import company universities.csv")
@_TYPE
@click.argument("path", type=click.Path(path_type=Path))
def import_(object_type: str, path: Path) -> None:
    """Make records of a CSV file, or of a JSON list of objects, with the hub's field names."""
    done = ask(lambda here: service.import_file(here, object_type, path))
    if as_json():
        reply({"created": done.created, "refused": done.refused})
    else:
        say(f"Created {done.created}, refused {len(done.refused)}.")
        for refusal in done.refused[:20]:
            say(f"  row {refusal.line}: {refusal.issue.code} {refusal.issue.sentence}")
    if done.refused:
        raise click.exceptions.Exit(1)


def _texts(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise click.UsageError(f"--set {item} is not of the form FIELD=VALUE")
        found[name] = value
    return found


def _described(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "fields": record.fields,
        "associations": record.associations,
        "version": record.version,
    }


def _show(record: Record) -> None:
    if as_json():
        reply({"record": _described(record)})
        return
    say(f"id {record.id}")
    for name, value in _held(record).items():
        say(f"  {name}: {shown(value)}")
    for name, targets in record.associations.items():
        for target in targets:
            words = [*(["primary"] if target.primary else []), *target.labels]
            say(f"  {name}: {target.id}{' (' + ', '.join(words) + ')' if words else ''}")


def _held(record: Record) -> Fields:
    """The fields that are not blank."""
    return {name: value for name, value in record.fields.items() if not is_blank(value)}


hub.add_command(token)
hub.add_command(client)
hub.add_command(owners)

COMMANDS = (hub,)
