"""Records of the hub inside: found, made, changed, tied together, merged, deleted, in and out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response, UploadFile
from fastapi.responses import StreamingResponse

from twofold.api.answers import status_of
from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.schema import Field, ObjectType
from twofold.core.values import Kind
from twofold.services import hub, hub_lists
from twofold.web.area import Area, Entry, later
from twofold.web.forms import Form, Given
from twofold.web.view import Operating, Page, View, Viewing

router = APIRouter(route_class=Page)
AREA = Area("hub_records", router, (Entry(later("Hub records"), "/hub", 30),))

_VALUE = "value:"
_TYPES = ("contact", "company", "deal")


@router.get("/hub")
def first(view: Viewing) -> Response:
    """Begin with contacts."""
    return view.go("/hub", "contact")


@router.get("/hub/{object_type}")
def listed(view: Viewing, object_type: str, q: str = "", after: str = "") -> Response:
    """List records, or those of which a value contains a text."""
    kind = hub.declared(view.here, object_type)
    found = hub_lists.sought(view.here, object_type, q.strip()[:200], after)
    rows = [(record, hub_lists.title(record)) for record in found.records]
    context: dict[str, Any] = {"rows": rows, "next": found.next, "after": after, "query": q[:200]}
    return view.page("hub_records/list.html", kind=kind, types=_TYPES, **context)


@router.get("/hub/{object_type}/export.csv")
def exported(view: Viewing, object_type: str) -> Response:
    """All records of a type as a file."""
    # Read to the end while the installation is ours: an answer that streams outlives this call.
    lines = list(hub_lists.exported(view.here, object_type))
    name = f'attachment; filename="{object_type}.csv"'
    headers = {"Content-Disposition": name}
    return StreamingResponse(iter(lines), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/hub/{object_type}/new")
def blank(view: Operating, object_type: str) -> Response:
    """Ask for the values of a new record."""
    return _new(view, object_type, Form())


@router.post("/hub/{object_type}/new")
def made(view: Operating, object_type: str, form: Given) -> Response:
    """Make a record."""
    texts = {name: text for name, text in form.starting(_VALUE).items() if text.strip()}
    try:
        record = hub.create(view.here, object_type, texts)
    except TwofoldError as error:
        return _new(view, object_type, _refused(view, form, error), status_of(error))
    return view.go("/hub", object_type, record.id, said=view.say("The record is made."))


@router.get("/hub/{object_type}/import")
def importing(view: Operating, object_type: str) -> Response:
    """Ask for a file."""
    kind = hub.declared(view.here, object_type)
    context: dict[str, Any] = {"look": None, "name": "", "done": None}
    return view.page("hub_records/import.html", kind=kind, form=Form(), **context)


@router.post("/hub/{object_type}/import")
def imported(
    view: Operating, object_type: str, form: Given, file: UploadFile | None = None
) -> Response:
    """Look at a file, and import it when that was agreed to."""
    kind = hub.declared(view.here, object_type)
    name = form.text("name")
    context: dict[str, Any] = {"look": None, "name": "", "done": None}
    try:
        if name:
            path = hub_lists.upload(view.here, name)
            context["done"] = hub.import_file(view.here, object_type, path)
            path.unlink(missing_ok=True)
            view.note("records imported", object_type, str(context["done"].created))
        else:
            context["name"] = _kept(view, file)
            path = hub_lists.upload(view.here, context["name"])
            context["look"] = hub_lists.look(view.here, object_type, path)
    except TwofoldError as error:
        form.problem = error
        context["look"] = None
    status = 422 if form.problem else 200
    return view.page("hub_records/import.html", status, kind=kind, form=form, **context)


@router.get("/hub/{object_type}/{record_id}")
def one(view: Viewing, object_type: str, record_id: str) -> Response:
    """Show a record, or the one that it was merged into."""
    return _record(view, object_type, record_id, Form())


@router.post("/hub/{object_type}/{record_id}")
def changed(view: Operating, object_type: str, record_id: str, form: Given) -> Response:
    """Save the values that differ from what was shown."""
    given, shown = form.starting(_VALUE), form.starting("was:")
    texts = {name: text for name, text in given.items() if text != shown.get(name, "")}
    try:
        if texts:
            hub.edit(view.here, object_type, _checked(object_type, record_id), texts)
    except TwofoldError as error:
        status = status_of(error)
        return _record(view, object_type, record_id, _refused(view, form, error), status)
    said = view.say("The changes are saved.") if texts else view.say("Nothing was changed.")
    return view.go("/hub", object_type, record_id, said=said)


@router.post("/hub/{object_type}/{record_id}/associations")
def tied(view: Operating, object_type: str, record_id: str, form: Given) -> Response:
    """Tie a record to another one, or cut the tie."""
    try:
        hub.associate(
            view.here,
            object_type,
            _checked(object_type, record_id),
            form.text("name"),
            _checked(form.text("name"), form.text("id").strip()),
            primary=form.flag("primary"),
            remove=form.flag("remove"),
        )
    except TwofoldError as error:
        form.problem = error
        return _record(view, object_type, record_id, form, status_of(error))
    return view.go("/hub", object_type, record_id, said=view.say("The associations are changed."))


@router.post("/hub/{object_type}/{record_id}/merge")
def merged(view: Operating, object_type: str, record_id: str, form: Given) -> Response:
    """Merge another record into this one."""
    try:
        loser = _checked(object_type, form.text("other").strip())
        hub.merge(view.here, object_type, _checked(object_type, record_id), loser)
    except TwofoldError as error:
        form.problem = error
        return _record(view, object_type, record_id, form, status_of(error))
    view.note("records merged", object_type, f"{loser} into {record_id}")
    return view.go("/hub", object_type, record_id, said=view.say("The records are merged."))


@router.post("/hub/{object_type}/{record_id}/delete")
def deleted(view: Operating, object_type: str, record_id: str) -> Response:
    """Take a record away."""
    hub.delete(view.here, object_type, _checked(object_type, record_id))
    view.note("record deleted", object_type, record_id)
    return view.go("/hub", object_type, said=view.say("The record is deleted."))


# --- what is shown ------------------------------------------------------------------------------


def _new(view: View, object_type: str, form: Form, status: int = 200) -> Response:
    kind = hub.declared(view.here, object_type)
    fields = [field for field in kind.fields if field.creatable]
    context = {"fields": fields, "texts": form.starting(_VALUE), "widget": _widget}
    return view.page("hub_records/new.html", status, kind=kind, form=form, **context)


def _record(
    view: View, object_type: str, record_id: str, form: Form, status: int = 200
) -> Response:
    kind = hub.declared(view.here, object_type)
    record = hub.one(view.here, object_type, _checked(object_type, record_id))
    texts = {f.name: hub_lists.text_of(record.fields.get(f.name)) for f in kind.fields}
    context: dict[str, Any] = {
        "record": record,
        "title": hub_lists.title(record),
        "fields": [f for f in kind.fields if f.updatable],
        "told": [f for f in kind.fields if not f.updatable and texts[f.name]],
        "texts": texts,
        "given": form.starting(_VALUE),
        "ties": _ties(view, kind, record),
        "widget": _widget,
    }
    return view.page("hub_records/record.html", status, kind=kind, form=form, **context)


def _ties(view: View, kind: ObjectType, record: Record) -> list[tuple[Any, list[Any]]]:
    """(association, [(target, what it is called)])."""
    found = []
    for association in kind.associations:
        targets = record.associations.get(association.name, ())
        found.append((association, [(t, _called(view, association.target, t.id)) for t in targets]))
    return found


def _called(view: View, object_type: str, record_id: str) -> str:
    try:
        return hub_lists.title(hub.one(view.here, object_type, record_id))
    except TwofoldError:
        return record_id


def _refused(view: View, form: Form, error: TwofoldError) -> Form:
    """The error at its field, where it names one."""
    name = error.facts.get("field")
    if error.code == "TF-R01" and isinstance(name, str):
        form.errors[_VALUE + name] = view.words.sentence(error)
    else:
        form.problem = error
    return form


def _widget(field: Field) -> str:
    """How a value is asked for."""
    if field.kind is Kind.BOOL:
        return "bool"
    if field.options and not field.multi:
        return "choice"
    return "date" if field.kind is Kind.DATE else "text"


def _checked(object_type: str, record_id: str) -> str:
    """An id as the hub makes them."""
    if not (record_id.isascii() and record_id.isdecimal() and len(record_id) < 19):
        raise TwofoldError("TF-U19", object_type=object_type[:50], id=record_id[:50])
    return record_id


def _kept(view: View, file: UploadFile | None) -> str:
    if file is None or not file.filename:
        raise TwofoldError("TF-U14", path="-", reason=view.say("no file was chosen"))
    suffix = ".json" if file.filename.lower().endswith(".json") else ".csv"
    parts = iter(lambda: file.file.read(1 << 20), b"")
    return hub_lists.keep_upload(view.here, parts, suffix)
