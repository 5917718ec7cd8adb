"""Connected apps, the app catalog, and the page of each app with its accounts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Response
from msgspec import Struct

from twofold.api.answers import status_of
from twofold.core.errors import TwofoldError
from twofold.services import apps, connections, health, requests, runs
from twofold.services.apps import App
from twofold.services.connections import Shown
from twofold.services.health import Moment, Word
from twofold.web import live
from twofold.web.area import Area, Entry, later
from twofold.web.forms import Form, Given
from twofold.web.view import Editing, Operating, Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("apps", router, (Entry(later("Connected apps"), "/apps", 20),))

_NOT_OFFERED = frozenset({"hub", "memory"})
"""Connectors that are no apps of a person: the hub inside, and the one for tests."""
_TABS = ("health", "settings", "permissions", "activity", "about")
_WORST = (
    Word.ACTION_REQUIRED,
    Word.QUEUED,
    Word.SCANNED,
    Word.IN_PROGRESS,
    Word.ACTIVE,
    Word.OFF,
    Word.NO_ACTIVE,
)
_RUNS = 25


class Connected(Struct, frozen=True):
    """One app with its accounts, as the list shows it."""

    app: App
    accounts: int
    syncs: int
    failing: int
    worst: Moment | None
    """The sync that needs somebody most."""


@router.get("/apps")
def connected(view: Viewing) -> Response:
    """List the connected apps, the ones in trouble first."""
    moments = health.moments(view.here)
    shown = [one for one in connections.every(view.here) if not one.is_hub]
    by_app = groupby(sorted(shown, key=lambda one: one.app), key=lambda one: one.app)
    found = [_connected(_known(app), list(accounts), moments) for app, accounts in by_app]
    found.sort(key=lambda one: (_rank(one.worst), one.app.label.casefold()))
    return view.page("apps/connected.html", found=found)


@router.get("/catalog")
def catalog(view: Viewing, q: str = "") -> Response:
    """List the apps that can be connected."""
    wanted = q.strip()[:100].casefold()
    using = {one.app for one in connections.every(view.here)}
    found = [app for app in apps.every() if app.name not in _NOT_OFFERED or app.name in using]
    listed = [
        app
        for app in found
        if app.name != "hub" and wanted in f"{app.label} {app.summary} {app.name}".casefold()
    ]
    return view.page("apps/catalog.html", found=listed, using=using, q=q.strip()[:100])


@router.get("/apps/{app}")
def one(view: Viewing, app: str, account: str = "", tab: str = "", panel: str = "") -> Response:
    """Show an app: one of its accounts, or what it could do."""
    return _page(view, app, account, tab, panel, Form())


@router.get("/apps/{app}/permissions")
def permissions(view: Viewing, app: str, account: str) -> Response:
    """Ask an account what it lets us do; a part of the page, since the app may be slow."""
    _check(view, app, account)
    context: dict[str, Any] = {"types": [], "problem": None}
    try:
        context["types"] = view.work(connections.object_types(view.here, account))
    except TwofoldError as error:
        context["problem"] = error
    return view.page("apps/permissions.html", **context)


@router.post("/apps/{app}/run")
def run_now(view: Operating, app: str, form: Given) -> Response:
    """Run all syncs of an account that are on."""
    account = _check(view, app, form.text("account"))
    active = [m for m in health.moments(view.here) if m.status.sync in account.syncs]
    names = [m.status.sync for m in active if m.status.word is not Word.OFF]
    for name in names:
        requests.run_now(view.here, name)
    said = view.say_many("%(n)s sync runs now.", "%(n)s syncs run now.", len(names))
    return view.go("/apps", app, account=account.label, said=said)


@router.post("/apps/{app}/test")
def test(view: Editing, app: str, form: Given) -> Response:
    """Call the app with the stored answers."""
    account = _check(view, app, form.text("account"))
    found = view.work(connections.test(view.here, account.label))
    said = view.say("The connection works: %(account)s answered.", account=found.label)
    return view.go("/apps", app, account=account.label, said=said)


@router.post("/apps/{app}/settings")
def change(view: Editing, app: str, form: Given) -> Response:
    """Give an account another name, or another time between polls."""
    account = _check(view, app, form.text("account"))
    label, seconds = form.text("label").strip(), _seconds(form.text("poll"))
    if not label or len(label) > 100 or not label.isprintable() or "/" in label:
        form.errors["label"] = view.say("A name has 1 to 100 printable characters, and no slash.")
    if seconds is None:
        form.errors["poll"] = view.say("A number from 5 to 86400.")
    try:
        if form.sound and seconds is not None:
            connections.poll_every(view.here, account.label, seconds)
            if label != account.label:
                connections.rename(view.here, account.label, label)
            view.note("connection changed", account.label, label)
            said = view.say("The settings are saved.")
            return view.go("/apps", app, account=label, tab="settings", said=said)
    except TwofoldError as error:
        form.problem = error
    status = 422 if form.problem is None else status_of(form.problem)
    return _page(view, app, account.label, "settings", "", form, status)


@router.post("/apps/{app}/remove")
def remove(view: Editing, app: str, form: Given) -> Response:
    """Forget an account and what was read through it; no app is touched."""
    account = _check(view, app, form.text("account"))
    gone = connections.remove(view.here, account.label, with_syncs=True)
    view.note("connection removed", account.label, ", ".join(gone.syncs))
    return view.go("/apps", said=view.say("%(name)s is disconnected.", name=account.label))


def _page(
    view: View, name: str, account: str, tab: str, panel: str, form: Form, status: int = 200
) -> Response:
    app = _known(name)
    accounts = [one for one in connections.every(view.here) if one.app == name and not one.is_hub]
    if account and account not in {one.label for one in accounts}:
        raise TwofoldError("TF-W15", kind="account", name=account[:200])
    chosen = next((one for one in accounts if one.label == account), next(iter(accounts), None))
    shown = tab if tab in _TABS else "health"
    context = {"app": app, "accounts": accounts, "account": chosen, "form": form, "panel": panel}
    if chosen is None:
        return view.page("apps/app.html", status, tab="about", **context)
    moments = [m for m in health.moments(view.here) if m.status.connection == chosen.label]
    context |= {
        "moments": moments,
        "texts": {m.sync: live.shown(m, view.reader, view.words) for m in moments},
        "contents": connections.contents(view.here, chosen.label),
        "runs": _runs(view, chosen) if shown == "activity" else [],
        "now": view.here.world.now(),
    }
    return view.page("apps/app.html", status, tab=shown, **context)


def _runs(view: View, account: Shown) -> list[Any]:
    found = [one for name in account.syncs for one in runs.latest(view.here, name, _RUNS)]
    return sorted(found, key=lambda one: one[1].started, reverse=True)[:_RUNS]


def _connected(app: App, accounts: list[Shown], moments: Iterable[Moment]) -> Connected:
    labels = {one.label for one in accounts}
    own = [m for m in moments if m.status.connection in labels]
    worst = min(own, key=_rank, default=None)
    return Connected(app, len(accounts), len(own), sum(m.counts.failing for m in own), worst)


def _rank(moment: Moment | None) -> int:
    return len(_WORST) if moment is None else _WORST.index(moment.status.word)


def _known(name: str) -> App:
    """An app, also one whose connector is broken or gone."""
    found = {app.name: app for app in apps.every()}
    if name in found and name != "hub":
        return found[name]
    raise TwofoldError("TF-A10", name=name[:200], known=", ".join(sorted(found)))


def _check(view: View, app: str, label: str) -> Shown:
    """An account of that app, whatever else the request says."""
    found = connections.one(view.here, label)
    if found.app != app or found.is_hub:
        raise TwofoldError("TF-W15", kind="account", name=label[:200])
    return found


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 5 <= seconds <= 86_400 else None
