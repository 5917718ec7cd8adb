"""``twofold app``: the catalog."""

from __future__ import annotations

import click

from twofold.cli.command import Group, as_json
from twofold.cli.output import reply, say, table
from twofold.services import apps


@click.group("app", cls=Group, example="twofold app list")
def app() -> None:
    """The apps that can be connected."""


@app.command("list", example="twofold app list")
def list_() -> None:
    """List all apps with what they ask."""
    found = apps.every()
    if as_json():
        reply({"apps": found})
        return
    rows = [
        (one.name, one.label, one.summary, ", ".join(q.name for q in one.questions))
        for one in found
    ]
    table(("app", "label", "what it is", "asks"), rows, "No connector is installed.")


@app.command(example="twofold app show carddav")
@click.argument("name")
def show(name: str) -> None:
    """Show what an app asks, what pairs with the hub, and its default mappings."""
    found = apps.one(name)
    if as_json():
        reply(found)
        return
    say(f"{found.label}: {found.summary}")
    questions = [
        (
            q.name,
            q.label,
            q.example,
            "secret" if q.secret else "",
            "optional" if q.optional else "required",
        )
        for q in found.questions
    ]
    table(("asks", "meaning", "example", "", ""), questions, "It asks nothing.")
    for hub_type, app_type in found.objects.items():
        pairs = found.defaults.get(hub_type, ())
        say(f"hub {hub_type} = {app_type} of the app, by default with:")
        arrows = {(True, True): "<->", (True, False): "<--", (False, True): "-->"}
        rows = [(p.hub_field, arrows.get((p.to_hub, p.to_app), ""), p.app_field) for p in pairs]
        table(("hub", "", "app"), rows, "no default mapping")
    if not found.objects:
        say("Its object types depend on the account: see 'twofold connection show'.")


COMMANDS = (app,)
