"""The words of the core in the reader's language: object types, statuses, reasons, errors."""

from __future__ import annotations

from datetime import date, datetime

from babel.support import NullTranslations

from twofold.core.errors import Issue, TwofoldError
from twofold.core.filters import Operator
from twofold.core.guards import BrakeName
from twofold.core.health import State
from twofold.core.schema import Field
from twofold.core.type_matrix import Shape, shape
from twofold.core.values import Value
from twofold.services.access import Role
from twofold.services.health import Queue, Status, Word
from twofold.services.previews import Kind
from twofold.web.language import later
from twofold.web.reader import Reader

_OBJECTS = {
    "contact": (later("Contact"), later("Contacts")),
    "company": (later("Company"), later("Companies")),
    "deal": (later("Deal"), later("Deals")),
    "product": (later("Product"), later("Products")),
    "ticket": (later("Ticket"), later("Tickets")),
    "lead": (later("Lead"), later("Leads")),
}
_WORDS = {
    Word.NO_ACTIVE: later("No active syncs"),
    Word.ACTIVE: later("Active and listening"),
    Word.ACTION_REQUIRED: later("Action required"),
    Word.OFF: later("Turned off"),
}
_QUEUES = {
    Queue.ORDER: later("another object must sync first"),
    Queue.LIMIT: later("the app's rate limit, resumes by itself"),
    Queue.LINE: later("waiting in the internal queue"),
    Queue.REACH: later("the app is out of reach, tried again by itself"),
}
_BRAKES = {
    BrakeName.SIDE_EMPTY: later("Check the app; let the sync go on if it is true."),
    BrakeName.DELETES: later("Check who deleted them; let the sync go on if it is meant."),
    BrakeName.CREATES: later("Check where they come from; let the sync go on if it is meant."),
    BrakeName.CHANGES: later("Check who edited them; let the sync go on if it is meant."),
    BrakeName.FIELD_GONE: later("Bring it back in the app, or go on without those mappings."),
    BrakeName.FIELD_CHANGED: later("Change it back in the app, or go on with what it is now."),
}
_STATES = {
    State.IN_SYNC: later("In sync"),
    State.FAILING: later("Failing"),
    State.EXCLUDED: later("Excluded"),
    State.WAITING: later("Waiting"),
}


_ROLES = {
    Role.VIEWER: later("Viewer"),
    Role.OPERATOR: later("Operator"),
    Role.EDITOR: later("Editor"),
    Role.ADMIN: later("Administrator"),
}


_SHAPES = {
    Shape.TEXT: later("text"),
    Shape.NUMBER: later("number"),
    Shape.BOOL: later("checkbox"),
    Shape.DATE: later("date"),
    Shape.DATETIME: later("date and time"),
    Shape.CHOICE: later("choice"),
    Shape.OWNER: later("owner"),
    Shape.TEXTS: later("several texts"),
    Shape.CHOICES: later("several choices"),
    Shape.LIST: later("several values"),
}
_OPERATORS = {
    Operator.IS: later("is"),
    Operator.IS_NOT: later("is not"),
    Operator.ANY_OF: later("is any of"),
    Operator.CONTAINS: later("contains"),
    Operator.STARTS_WITH: later("starts with"),
    Operator.KNOWN: later("is known"),
    Operator.UNKNOWN: later("is unknown"),
    Operator.GREATER: later("is greater than"),
    Operator.LESS: later("is less than"),
    Operator.BETWEEN: later("is between"),
    Operator.BEFORE: later("is before"),
    Operator.AFTER: later("is after"),
    Operator.LAST_DAYS: later("is in the last days"),
}
PLANNED = {
    Kind.LINK.value: later("matched"),
    Kind.CREATE.value: later("to create"),
    Kind.UPDATE.value: later("to update"),
    Kind.AMBIGUOUS.value: later("cannot be matched"),
    Kind.EXCLUDE.value: later("excluded"),
    Kind.FAIL.value: later("would fail"),
    Kind.AGREE.value: later("the same again"),
    Kind.REMOVE.value: later("to remove"),
}
"""The parts of a plan by kind, in the order in which people want to know of them."""


_DID = {
    "created": (later("made in the hub"), later("made in the app")),
    "updated": (later("changed in the hub"), later("changed in the app")),
    "deleted": (later("deleted in the hub"), later("deleted in the app")),
    "archived": (later("archived in the hub"), later("archived in the app")),
    "creates held": (later("held back for the hub"), later("held back for the app")),
    "invalid": (later("refused by the hub"), later("refused by the app")),
    "denied": (later("not allowed by the hub"), later("not allowed by the app")),
    "duplicate": (later("there already in the hub"), later("there already in the app")),
    "conflict": (later("changed meanwhile in the hub"), later("changed meanwhile in the app")),
    "missing": (later("gone from the hub"), later("gone from the app")),
    "retry": (later("put off by the hub"), later("put off by the app")),
    "unknown": (later("without an answer of the hub"), later("without an answer of the app")),
}
"""What a run counts of a side, by the word behind the side's name."""
_PAIRED = {
    "linked": later("linked"),
    "relinked": later("linked anew"),
    "creates recovered": later("found again after a crash"),
}
_ENDINGS = {
    "done": later("done"),
    "more": later("more to do"),
    "waiting": later("waits for the app"),
    "stopped": later("waits for a person"),
    "killed": later("was cut off"),
}


class Wording:
    """Words for one reader."""

    def __init__(self, reader: Reader, messages: NullTranslations) -> None:
        self._reader = reader
        self._messages = messages

    def say(self, message: str, **facts: object) -> str:
        """A message, with facts by name where it holds ``%(name)s``."""
        text = str(self._messages.gettext(message))
        return text % facts if facts else text

    def say_many(self, one: str, many: str, n: int, **facts: object) -> str:
        """A message about a number, which it names as ``%(n)s``."""
        text = str(self._messages.ngettext(one, many, n))
        return text % {"n": self._reader.number(n), **facts}

    def singular(self, object_type: str) -> str:
        """Such as "Contact"; an object type that only its app knows keeps its name."""
        known = _OBJECTS.get(object_type)
        return self.say(known[0]) if known else object_type

    def plural(self, object_type: str) -> str:
        """Such as "Contacts"."""
        known = _OBJECTS.get(object_type)
        return self.say(known[1]) if known else object_type

    def state(self, state: State) -> str:
        """Such as "In sync"."""
        return self.say(_STATES[state])

    def kind(self, field: Field) -> str:
        """What a field holds, such as "date"."""
        return self.say(_SHAPES[shape(field)])

    def operator(self, operator: Operator) -> str:
        """Such as "is any of"."""
        return self.say(_OPERATORS[operator])

    def planned(self, kind: str) -> str:
        """What happens to parts of a plan, such as "to create"."""
        return self.say(PLANNED[kind])

    def value(self, value: Value) -> str:
        """What a field holds, as text; nothing for a blank."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.say("yes") if value else self.say("no")
        if isinstance(value, tuple | frozenset):
            return "; ".join(sorted(map(self.value, value)))
        if isinstance(value, datetime):
            return self._reader.moment(value)
        return value.isoformat() if isinstance(value, date) else str(value)

    def brake(self, brake: BrakeName) -> str:
        """What to do about a brake."""
        return self.say(_BRAKES[brake])

    def did(self, what: str) -> str:
        """What a run counted, such as ``hub created``."""
        side, _, word = what.partition(" ")
        known = _DID.get(word)
        if known is None:
            return self.say(_PAIRED[what]) if what in _PAIRED else what
        return self.say(known[side == "app"])

    def ending(self, word: object) -> str:
        """How a run ended."""
        return self.say(_ENDINGS[str(word)]) if str(word) in _ENDINGS else str(word)

    def role(self, role: Role) -> str:
        """Such as "Administrator"."""
        return self.say(_ROLES[role])

    def status(self, status: Status) -> str:
        """The sentence of a sync's status (R1)."""
        plural, done = self.plural(status.object_type).lower(), self._reader.number(status.done)
        if status.word is Word.SCANNED:
            return self.say("%(n)s %(objects)s scanned", n=done, objects=plural)
        if status.word is Word.IN_PROGRESS and status.total is not None:
            total = self._reader.number(status.total)
            return self.say(
                "In progress: %(n)s of %(total)s %(objects)s", n=done, total=total, objects=plural
            )
        if status.word is Word.IN_PROGRESS:
            return self.say("In progress")
        if status.word is Word.QUEUED:
            return self.say("%(object)s sync queued", object=self.singular(status.object_type))
        return self.say(_WORDS[status.word])

    def reason(self, status: Status) -> str:
        """Why a sync stands there, where there is more to say than its status."""
        if status.word is Word.ACTION_REQUIRED:
            return status.reason
        if status.queue is not None:
            return self.say(_QUEUES[status.queue])
        if status.word is Word.IN_PROGRESS:
            return self.say_many("%(n)s record to go", "%(n)s records to go", status.due)
        return ""

    def sentence(self, error: TwofoldError) -> str:
        """The sentence of an error, with its facts."""
        return str(self._messages.gettext(error.entry.sentence)).format_map(error.facts)

    def advice(self, error: TwofoldError | Issue) -> str:
        """What to do about an error."""
        return self.say(error.advice) if error.advice else ""
