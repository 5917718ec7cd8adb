"""``twofold sync``: what is kept in step, and how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twofold.cli.brakes import brakes_command, limits_of, resume_command
from twofold.cli.command import Group, as_json, ask, ask_app
from twofold.cli.confirmation import confirm
from twofold.cli.documents import edit
from twofold.cli.limits import LEAVING, limit, show_limits
from twofold.cli.mappings import mapping, suggest
from twofold.cli.output import reply, say, table
from twofold.cli.running import run_command
from twofold.cli.verifying import unfreeze_command, verify_command
from twofold.core.errors import TwofoldError
from twofold.core.mappings import CustomMatching, Deletes, Direction, Matching
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.validate import Problem
from twofold.services import health, keepsakes, limits, syncs
from twofold.services import matching as service
from twofold.services.proposals import Request, Wish
from twofold.store.syncs import Sync

_DIRECTIONS = {"both": Direction.BOTH, "to-hub": Direction.TO_HUB, "to-app": Direction.TO_APP}
_ARROWS = {Direction.BOTH: "<->", Direction.TO_HUB: "<--", Direction.TO_APP: "-->"}


@click.group(cls=Group, example="twofold sync list")
def sync() -> None:
    """The syncs: pairs of object types that are kept in step."""


@sync.command(
    example="twofold sync add shop contact customers --map email=Email --map lastname=LastName"
)
@click.argument("connection")
@click.argument("hub_type", metavar="HUB_TYPE")
@click.argument("app_type", metavar="[APP_TYPE]", default="", required=False)
@click.option("--name", default="", help="The sync's name; made from the two otherwise.")
@click.option(
    "--direction",
    type=click.Choice(list(_DIRECTIONS)),
    default="both",
    show_default=True,
    help="Which way data travels.",
)
@click.option(
    "--default",
    "default_side",
    type=click.Choice([side.value for side in Side]),
    default="hub",
    show_default=True,
    help="The default app: whose value wins where both differ.",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="HUBFIELD=APPFIELD[:to-hub|:to-app]",
    help="Map two fields; takes the place of a default mapping of either.",
)
@click.option("--no-default-mappings", is_flag=True, help="Leave out the connector's own mappings.")
@click.option("--map-by-name", is_flag=True, help="Also map fields of equal names.")
@click.option("--without", multiple=True, metavar="HUBFIELD", help="Do not map this field.")
@click.option(
    "--matching",
    type=click.Choice([preset.value for preset in Matching]),
    help="How records are recognized; by the hub's object type otherwise.",
)
@click.option(
    "--match",
    "match_rules",
    multiple=True,
    metavar="HUBFIELD[+HUBFIELD]",
    help="A matching rule of your own, strongest first; in place of --matching.",
)
@click.option("--all-contacts", is_flag=True, help="Also send contacts without a valid e-mail.")
@click.option(
    "--associate",
    multiple=True,
    metavar="HUBNAME=APPNAME",
    help="Map two associations; those with paired far ends are mapped by themselves.",
)
@click.option(
    "--all-targets",
    multiple=True,
    metavar="HUBNAME",
    help="Sync all targets of this association with their labels, not the primary one alone.",
)
@click.option("--timezone", default="UTC", show_default=True, help="For days and times of day.")
@click.option("--region", default="", help="Country of phone numbers without one, such as NL.")
@click.option(
    "--deletes",
    type=click.Choice([policy.value for policy in Deletes]),
    default="ignore",
    show_default=True,
    help="What a deleted record does to its twin.",
)
@click.option(
    "--brake",
    "brakes",
    multiple=True,
    metavar="NAME=PERCENT",
    help="When a run pauses and asks: deletes=20, creates=50, changes=50 are the defaults.",
)
@click.option(
    "--limit-to-app", multiple=True, metavar="CRITERION", help="As --to-app of 'sync limit'."
)
@click.option(
    "--limit-to-hub", multiple=True, metavar="CRITERION", help="As --to-hub of 'sync limit'."
)
@click.option(
    "--leaving",
    type=click.Choice(list(LEAVING)),
    default="stop",
    show_default=True,
    help="What happens to a synced record that no longer meets its limit.",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="A lifecycle stage of the hub whose contacts belong to this sync, and to no other.",
)
@click.option(
    "--from-now-on", is_flag=True, help="What is there already takes part once it changes."
)
@click.option("--off", is_flag=True, help="Save it without turning it on.")
def add(maps: Sequence[str], associate: Sequence[str], **options: Any) -> None:
    """Sync an object type of the hub with one of CONNECTION.

    HUB_TYPE is contact, company or deal. Everything is checked before it is saved, and all
    problems are listed. Add companies before contacts: their association is then mapped too.
    """
    request = Request(
        connection=options["connection"],
        hub_type=options["hub_type"],
        app_type=options["app_type"] or "",
        name=options["name"],
        direction=_DIRECTIONS[options["direction"]],
        default_side=Side(options["default_side"]),
        wishes=tuple(map(_wish, maps)),
        use_defaults=not options["no_default_mappings"],
        by_name=options["map_by_name"],
        without=tuple(options["without"]),
        matching=matching_of(options["matching"], options["match_rules"]),
        require_email=False if options["all_contacts"] else None,
        associations=tuple(map(_pair, associate)),
        all_targets=tuple(options["all_targets"]),
        timezone=options["timezone"],
        region=options["region"],
        deletes=Deletes(options["deletes"]),
        brakes=limits_of(options["brakes"]),
        hub_limit=tuple(options["limit_to_app"]),
        app_limit=tuple(options["limit_to_hub"]),
        leaving=LEAVING[options["leaving"]],
        stages=tuple(options["stages"]),
        from_now_on=options["from_now_on"],
        enabled=not options["off"],
    )
    made, warnings = ask_app(lambda here: syncs.add(here, request), writes=True)
    if as_json():
        reply({"sync": described(made), "warnings": list(map(_problem, warnings))})
        return
    say(f"Saved {made.name}; run it with 'twofold sync run {made.name}'.")
    _show(made)
    for problem in warnings:
        say(f"{problem.code} {problem.sentence}")


@sync.command("list", example="twofold sync list")
def list_() -> None:
    """List all syncs with their status."""
    found = ask(lambda here: list(zip(syncs.every(here), health.statuses(here), strict=True)))
    if as_json():
        reply({"syncs": [{**described(one), "status": status} for one, status in found]})
        return
    rows = [
        (
            one.name,
            status.connection,
            f"{one.rules.hub.name} {_ARROWS[one.rules.direction]} {one.rules.app.name}",
            len(one.rules.mappings),
            status.text,
        )
        for one, status in found
    ]
    table(("sync", "connection", "object types", "mappings", "status"), rows, "No active syncs")


@sync.command(example="twofold sync show shop-contacts")
@click.argument("name")
def show(name: str) -> None:
    """Show everything that is configured for a sync."""
    found = ask(lambda here: here.sync(name))
    if as_json():
        reply({"sync": described(found)})
    else:
        _show(found)


@sync.command(example="twofold sync match shop-contacts --match email --match lastname+phone")
@click.argument("name")
@click.option(
    "--matching",
    type=click.Choice([preset.value for preset in Matching]),
    help="A preset.",
)
@click.option(
    "--match",
    "match_rules",
    multiple=True,
    metavar="HUBFIELD[+HUBFIELD]",
    help="A matching rule of your own, strongest first.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what it would mean.")
def match(name: str, matching: str | None, match_rules: Sequence[str], dry_run: bool) -> None:
    """Match by other rules from now on; what is linked stays linked."""
    chosen = matching_of(matching, match_rules)
    if chosen is None:
        raise click.UsageError("name a preset with --matching, or rules with --match")
    changed, number = ask(
        lambda here: service.rematch(here, name, chosen, dry=dry_run), writes=not dry_run
    )
    if as_json():
        reply({"sync": described(changed), "due": number})
    elif dry_run:
        words = matching_words(chosen)
        say(f"{name} would match by {words}; {number} unlinked records would be planned again.")
    else:
        words = matching_words(changed.rules.matching)
        say(f"{name} matches by {words}; {number} unlinked records are planned again.")


@sync.command(example="twofold sync duplicates shop-contacts")
@click.argument("name")
def duplicates(name: str) -> None:
    """Report the records that one side has more than once, by what the sync matches by.

    Both sides are read first where that was never done. Nothing is written to any app.
    """
    found = ask_app(lambda here: service.report(here, name), writes=True)
    if as_json():
        reply({"sides": found})
        return
    for one in found:
        say(f"{one.side.value}: {one.total} records")
        rows = [(shared.by, shared.groups, shared.records) for shared in one.shared]
        table(("the same", "groups", "records"), rows, "  No duplicates.")
        examples = [
            (e.by, e.records, e.name, ", ".join(e.ids) + (" …" if e.records > len(e.ids) else ""))
            for e in one.examples
        ]
        if examples:
            table(("the same", "records", "name", "ids"), examples, "")


@sync.command("on", example="twofold sync on shop-contacts")
@click.argument("name")
def on_(name: str) -> None:
    """Turn a sync on; it catches up with its next run and repeats nothing."""
    _turn(name, on=True)


@sync.command("off", example="twofold sync off shop-contacts")
@click.argument("name")
def off_(name: str) -> None:
    """Turn a sync off; mappings and links are kept."""
    _turn(name, on=False)


@sync.command(example="twofold sync delete shop-contacts --yes")
@click.argument("name")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write its links and history into this new folder first, as CSV.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, keep: Path | None, yes: bool) -> None:
    """Forget a sync with its links and history; no record on either side is touched.

    Links that were kept can be imported into a new sync: 'twofold links import'.
    """
    ask(lambda here: here.sync(name))
    what = f"forget {name} with its links and history"
    confirm(what if keep is None else f"{what}, and keep a copy in {keep}", yes)
    if keep is not None:
        ask(lambda here: keepsakes.write_out(here, name, keep))
    gone = ask(lambda here: syncs.delete(here, name), writes=True)
    if as_json():
        reply({"deleted": gone.name})
    else:
        say(f"Deleted {gone.name}.")


sync.add_command(run_command)
sync.add_command(edit)
sync.add_command(mapping)
sync.add_command(suggest)
sync.add_command(resume_command)
sync.add_command(brakes_command)
sync.add_command(limit)
sync.add_command(unfreeze_command)
sync.add_command(verify_command)


def described(found: Sync) -> dict[str, Any]:
    """A sync as JSON: what a person configured, and nothing of the vendor's schema."""
    rules = found.rules
    return {
        "name": found.name,
        "enabled": found.enabled,
        "hub_type": rules.hub.name,
        "app_type": rules.app.name,
        "direction": _word(rules.direction),
        "default": rules.default_side,
        "matching": matching_words(rules.matching)
        if isinstance(rules.matching, Matching)
        else rules.matching.rules,
        "require_email": rules.require_email,
        "timezone": rules.timezone,
        "region": rules.region,
        "deletes": rules.deletes,
        "brakes": rules.brakes,
        "limit_to_app": limits.told(rules, Side.HUB),
        "limit_to_hub": limits.told(rules, Side.APP),
        "leaving": rules.leaving.value.replace("_", "-"),
        "stages": rules.stages,
        "from_now_on": rules.from_now_on,
        "mappings": [
            {
                "hub": plain_name(m.hub.name),
                "app": plain_name(m.app.name),
                "direction": _word(m.direction),
            }
            for m in rules.mappings
        ],
        "associations": [
            {
                "hub": m.hub,
                "app": m.app,
                "hub_target": m.hub_target,
                "app_target": m.app_target,
                "targets": m.targets.value,
            }
            for m in rules.associations
        ],
    }


def _show(found: Sync) -> None:
    rules = found.rules
    arrow = _ARROWS[rules.direction]
    say(f"{found.name}: hub {rules.hub.name} {arrow} app {rules.app.name}")
    only = "only records with a valid e-mail are sent" if rules.require_email else "all are sent"
    say(f"  {'on' if found.enabled else 'off'}; the {rules.default_side.value} wins conflicts;")
    say(f"  matching: {matching_words(rules.matching)}; {only}")
    show_limits(rules)
    rows = [
        (plain_name(m.hub.name), _ARROWS[m.direction], plain_name(m.app.name), "field")
        for m in rules.mappings
    ]
    rows += [(m.hub, arrow, m.app, f"association, {m.targets.value}") for m in rules.associations]
    table(("hub", "", "app", ""), rows, "No mappings.")


def matching_of(preset: str | None, own: Sequence[str]) -> Matching | CustomMatching | None:
    """The matching that a person chose by options; None where they chose none.

    Raises:
        TwofoldError: TF-M07, both a preset and rules of their own.
    """
    if preset and own:
        raise TwofoldError("TF-M07", preset=preset)
    if own:
        return CustomMatching(tuple(tuple(filter(None, text.split("+"))) for text in own))
    return Matching(preset) if preset else None


def matching_words(matching: Matching | CustomMatching) -> str:
    """Matching in words: a preset's name, or the rules as options write them."""
    if isinstance(matching, Matching):
        return matching.value
    return ", then ".join("+".join(names) for names in matching.rules)


def _turn(name: str, *, on: bool) -> None:
    changed = ask(lambda here: syncs.turn(here, name, on=on), writes=True)
    if as_json():
        reply({"sync": described(changed)})
    else:
        say(f"{name} is {'on' if on else 'off'}.")


def _word(direction: Direction) -> str:
    return direction.value.replace("_", "-")


def _problem(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "sentence": problem.sentence, "mapping": problem.mapping}


def _wish(text: str) -> Wish:
    pair, _, way = text.partition(":")
    hub_field, app_field = _pair(pair)
    direction = _DIRECTIONS.get(way)
    if way and direction is None:
        raise TwofoldError("TF-U18", text=text)
    return Wish(hub_field, app_field, direction)


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise TwofoldError("TF-U18", text=text)
    return ours, theirs


COMMANDS = (sync,)
