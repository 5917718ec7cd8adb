"""``twofold sync mapping`` and ``suggest``: which field is which, and by what rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from twofold.cli.command import Command, Group, as_json, ask, ask_app
from twofold.cli.confirmation import confirm
from twofold.cli.documents import planned, show_done, show_planned
from twofold.cli.output import reply, say, table
from twofold.core.errors import TwofoldError
from twofold.core.mappings import Blanks, Direction, When
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.services import mappings as service
from twofold.services.applying import Applied, Change
from twofold.services.edits import Effect
from twofold.services.installation import Installation
from twofold.services.transform_words import described, transform_of

_ARROWS = {
    Direction.BOTH: "<->",
    Direction.TO_HUB: "<--",
    Direction.TO_APP: "-->",
    None: "-",
}
_SIDES = [side.value for side in Side]

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


@click.group(cls=Group, example="twofold sync mapping list shop-contacts")
def mapping() -> None:
    """The mappings of a sync: which field of the hub is which of the app."""


@mapping.command("list", example="twofold sync mapping list shop-contacts")
@click.argument("name")
def list_(name: str) -> None:
    """List the mappings of a sync, the connector's own first, with what narrows them."""
    found = ask(lambda here: service.lines(here, name))
    if as_json():
        reply({"mappings": list(map(_line, found))})
        return
    rows = [
        (
            plain_name(line.mapping.hub.name),
            _ARROWS[line.left],
            plain_name(line.mapping.app.name),
            "on" if line.mapping.enabled else "off",
            "default" if line.default else "custom",
            "; ".join((*_told(line), *line.reasons)),
        )
        for line in found
    ]
    table(("hub", "", "app", "", "", "rules"), rows, "No mappings.")


def _settings(command: Callable[..., None]) -> Callable[..., None]:
    """The rules of a mapping as options."""
    options = (
        click.option(
            "--direction", type=click.Choice([d.value.replace("_", "-") for d in Direction])
        ),
        click.option(
            "--when",
            type=click.Choice([w.value.replace("_", "-") for w in When]),
            help="When it writes.",
        ),
        click.option(
            "--blanks",
            type=click.Choice([b.value.replace("_", "-") for b in Blanks]),
            help="What emptying a field does to its twin.",
        ),
        click.option(
            "--default",
            "default_side",
            type=click.Choice([*_SIDES, "sync"]),
            help="Whose value wins a conflict in it; sync: as the sync says.",
        ),
        click.option(
            "--pair",
            "pairs",
            multiple=True,
            metavar="HUBOPTION=APPOPTION",
            help="Pair two options or owners by hand, by their values.",
        ),
        click.option("--hub-fallback", help="The hub's option for what has no pair there."),
        click.option("--app-fallback", help="The app's option for what has no pair there."),
        click.option(
            "--transform",
            "transforms",
            multiple=True,
            metavar="[to-hub:]NAME[:FORM[/BACK]]",
            help="Such as prefix:T-, case:upper, country:alpha2/name, lookup:a=1,b=2 or join.",
        ),
        click.option("--dry-run", is_flag=True, help="Only tell what it would mean."),
        click.option("--yes", is_flag=True, help="Do not ask."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@mapping.command(example="twofold sync mapping add shop-contacts jobtitle Function --when if-empty")
@click.argument("name")
@click.argument("hub_field", metavar="HUBFIELD")
@click.argument("app_field", metavar="APPFIELD")
@_settings
@click.option(
    "--seed",
    type=click.Choice(["blanks", *_SIDES]),
    default="blanks",
    show_default=True,
    help="For pairs that differ already: fill blanks only, or write one side's values.",
)
def add(name: str, hub_field: str, app_field: str, seed: str, **options: Any) -> None:
    """Map two fields, in place of a mapping of either; two of one side as first+last.

    A sync that has run fills blanks with it, and leaves values that differ alone until one of
    them changes, unless --seed names the side whose values count.
    """
    settings = _asked(options, hub_field, app_field)
    seeds = {} if seed == "blanks" else {hub_field: Side(seed)}

    async def work(here: Installation) -> Change:
        edit = service.adding(hub_field, app_field, settings)
        return await service.edited(here, name, edit)

    _carry_out(work, seeds, options)


@mapping.command("set", example="twofold sync mapping set shop-contacts jobtitle --blanks clear")
@click.argument("name")
@click.argument("hub_field", metavar="HUBFIELD")
@_settings
def set_(name: str, hub_field: str, **options: Any) -> None:
    """Change the rules of a mapping; what is not named stays."""
    settings = _asked(options, hub_field, "")

    async def work(here: Installation) -> Change:
        edit = service.telling(hub_field, settings)
        return await service.edited(here, name, edit)

    _carry_out(work, {}, options)


@mapping.command(example="twofold sync mapping remove shop-contacts jobtitle --yes")
@click.argument("name")
@click.argument("hub_field", metavar="HUBFIELD")
@click.option("--dry-run", is_flag=True, help="Only tell what it would mean.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, hub_field: str, **options: Any) -> None:
    """Map a field no longer, and forget what was agreed in it; no value is touched."""
    _carry_out(_simple(name, service.removing(hub_field)), {}, options)


@mapping.command("on", example="twofold sync mapping on shop-contacts jobtitle")
@click.argument("name")
@click.argument("hub_field", metavar="HUBFIELD")
@click.option("--dry-run", is_flag=True, help="Only tell what it would mean.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def on_(name: str, hub_field: str, **options: Any) -> None:
    """Turn a mapping on again; what changed meanwhile is merged."""
    _turn(name, hub_field, options, on=True)


@mapping.command("off", example="twofold sync mapping off shop-contacts jobtitle")
@click.argument("name")
@click.argument("hub_field", metavar="HUBFIELD")
@click.option("--dry-run", is_flag=True, help="Only tell what it would mean.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def off_(name: str, hub_field: str, **options: Any) -> None:
    """Turn a mapping off, a default one too; what was agreed in it is kept."""
    _turn(name, hub_field, options, on=False)


@click.command("suggest", cls=Command, example="twofold sync suggest shop-contacts")
@click.argument("name")
def suggest(name: str) -> None:
    """Suggest mappings by names, kinds and sampled values; nothing is mapped by it.

    Some records of both sides are read. Each suggestion has a confidence from 0 to 1.
    """
    found = ask_app(lambda here: service.suggestions(here, name))
    if as_json():
        reply({"suggestions": found})
        return
    rows = [
        (f"{s.confidence:.2f}", s.hub, _ARROWS[s.direction], s.app, "; ".join(s.reasons))
        for s in found
    ]
    table(("confidence", "hub", "", "app", "because"), rows, "Nothing to suggest.")
    if found:
        say(f"Add one: twofold sync mapping add {name} {found[0].hub} {found[0].app}")


def _turn(name: str, hub_field: str, options: Mapping[str, Any], *, on: bool) -> None:
    async def work(here: Installation) -> Change:
        edit = service.telling(hub_field, {"enabled": on})
        return await service.edited(here, name, edit)

    _carry_out(work, {}, options)


def _simple(name: str, edit: service.Edit) -> Any:
    async def work(here: Installation) -> Change:
        return await service.edited(here, name, edit)

    return work


def _carry_out(work: Any, seeds: Mapping[str, Side], options: Mapping[str, Any]) -> None:
    """Tell what an edit means, and do it once a person has said yes."""

    async def seen(here: Installation) -> tuple[Change, Effect]:
        change: Change = await work(here)
        return change, service.counted(here, change, seeds)

    change, effect = ask_app(seen)
    if options["dry_run"]:
        show_planned([change], [effect])
        return
    if change.needed and not options["yes"]:
        if not as_json():
            show_planned([change], [effect])
        confirm(f"change {change.name}", yes=False)
    done = ask(lambda here: service.saved(here, change, seeds), writes=True)
    did = "edited" if change.needed else "unchanged"
    if as_json():
        reply({"syncs": [{**planned(change, done), "did": did}]})
    else:
        show_done(Applied(change.name, did, done, change.warnings, change.enabled))


def _asked(options: Mapping[str, Any], hub_field: str, app_field: str) -> dict[str, Any]:
    """The settings that a person named, as the sync's document writes them."""
    found: dict[str, Any] = {}
    for key in ("direction", "when", "blanks"):
        if options[key] is not None:
            found[key] = options[key].replace("-", "_")
    if options["default_side"] is not None:
        side = options["default_side"]
        found["default_side"] = None if side == "sync" else side
    for key in ("hub_fallback", "app_fallback"):
        if options[key] is not None:
            found[key] = options[key]
    if options["pairs"]:
        found["options"] = [list(_pair(text)) for text in options["pairs"]]
    if options["transforms"]:
        whole = Side.APP if "+" in hub_field or "+" not in app_field else Side.HUB
        found["transforms"] = [transform_of(text, whole) for text in options["transforms"]]
    return found


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise TwofoldError("TF-U18", text=text)
    return ours, theirs


def _told(line: service.Line) -> Sequence[str]:
    """What is not as usual about a mapping, in words."""
    m = line.mapping
    told = [described(transform) for transform in m.transforms]
    if m.when is not When.ALWAYS:
        told.append(m.when.value.replace("_", " "))
    if m.blanks is Blanks.CLEAR:
        told.append("blanks clear")
    if m.default_side is not None:
        told.append(f"the {m.default_side} wins")
    if m.options:
        told.append(f"{len(m.options)} paired by hand")
    return told


def _line(line: service.Line) -> dict[str, Any]:
    m = line.mapping
    return {
        "hub": plain_name(m.hub.name),
        "app": plain_name(m.app.name),
        "direction": m.direction,
        "open": line.left,
        "enabled": m.enabled,
        "default_mapping": line.default,
        "when": m.when,
        "blanks": m.blanks,
        "default": m.default_side,
        "options": m.options,
        "hub_fallback": m.hub_fallback,
        "app_fallback": m.app_fallback,
        "transforms": m.transforms,
        "reasons": line.reasons,
    }
