"""The words of the core in the reader's language: object types, statuses, reasons, errors."""

from __future__ import annotations

from babel.support import NullTranslations

from twofold.core.errors import Issue, TwofoldError
from twofold.core.health import State
from twofold.services.access import Role
from twofold.services.health import Queue, Status, Word
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
