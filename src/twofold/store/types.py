"""The rows that the store hands out and takes in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from msgspec import Struct, field

from twofold.core.health import Outcome
from twofold.core.links import Link
from twofold.core.records import Record, Side
from twofold.core.schema import Op

Place = tuple[Side, int]
"""A record within one sync: its side and row."""
Revisit = tuple[Place, float | None]
"""A record, and when its scope may change by time alone, in seconds since 1970; None = never."""


class Reader(Struct, frozen=True):
    """Where reading one object type of one connection stands."""

    id: int
    connection: int
    object_type: str
    fields: tuple[str, ...]
    associations: tuple[str, ...]
    """Their names, with a mark behind those of which all targets are kept."""
    cursor: str | None
    scanning: int
    """1 = a full listing is under way, 2 = it ended and absent records must be looked for."""
    complete: bool
    live: int
    scanned: int
    swept: float


class Known(Struct, frozen=True):
    """What the store knows of a record without decoding it."""

    row: int
    digest: int | None
    version: str | None
    gone: bool
    looked: float = 0.0
    """When it was last read past a lagging feed, in seconds since 1970; kept for such feeds."""


class Stored(Struct):
    """A record with its row."""

    row: int
    record: Record
    shown: bytes
    gone: bool
    into_id: str | None = None


class Subscriber(Struct, frozen=True):
    """A sync that wants to know what a reader finds."""

    sync: int
    side: Side
    marks: bool
    """Whether changes become due one by one; before both first readings have ended they do not."""
    from_now_on: bool = False
    """Whether what was there before it began takes part only when it changes."""


class Sighting(Struct):
    """One record as a page showed it, ready to be stored."""

    id: str
    digest: int | None
    version: str | None
    shown: bytes
    keys: Sequence[Sequence[int]]
    """Match key hashes per subscriber, in the order of subscribers."""
    row: int | None = None
    """None = a record that was never seen."""
    before: bytes | None = None
    """What it showed before; None for a new record. Equal to ``shown`` = only the version moved."""
    keys_before: Sequence[Sequence[int]] = ()
    was_gone: bool = False
    looked: float = 0.0
    """When it was read past a lagging feed; 0 = it came from a feed."""


class LinkRow(Struct):
    """A link as stored, with both its records."""

    hub: Stored
    app: Stored
    state: int
    link: Link
    agreed: tuple[bytes | None, bytes | None]
    """*Seen* as stored (hub, app); None = what the side shows."""
    outcome: str | None

    def end(self, side: Side) -> Stored:
        """The record on that side."""
        return self.hub if side is Side.HUB else self.app


class Foreseen(Struct):
    """An unlinked record whose match was simple to find: its twin, or None where it is alone."""

    record: Stored
    twin: Stored | None


class Page(Struct):
    """One page of a feed, ready to be stored."""

    sightings: Sequence[Sighting]
    unchanged: Sequence[int]
    """Rows that it showed and that need no writing."""
    gone: Sequence[tuple[int, str | None]]
    keys_gone: Sequence[Sequence[Sequence[int]]]
    cursor: str
    listing: bool
    """Part of a full listing."""
    last: bool
    """The end of that listing."""


class Creation(Struct):
    """The note of a create."""

    side: Side
    source: int
    ref: str
    payload: bytes
    """The very write."""
    planned: bytes
    """What the source showed."""
    at: float
    """When it was noted, seconds since 1970."""
    newest: int = 0
    """The highest row at that time."""


class Relink(Struct, frozen=True):
    """A link that goes on with the unlinked record that one of its ends was merged into."""

    side: Side
    """Where the merge was."""
    loser: int
    survivor: int
    unnoted: bool = False
    """A note tells of a write to the loser, which means nothing for the survivor."""


class Phase(IntEnum):
    """How far a removal has come."""

    STAGED = 0
    """By the policy alone, at the end of a run."""
    ASKED = 1
    """A person is asked."""
    APPROVED = 2
    SENDING = 3
    """The note: the app may have removed it already."""
    REJECTED = 4
    REFUSED = 5
    """The app does not do it."""
    OVER = 6
    """Both records are gone, by us or by somebody else."""


class RemovalRow(Struct, frozen=True):
    """One twin that is to go."""

    hub: int
    """The hub row of its link."""
    side: Side
    op: Op
    phase: Phase
    shown: bytes
    """The twin when this was asked or decided."""
    at: float
    """Seconds since 1970."""
    who: str = ""


class Did(IntEnum):
    """What was done to a record."""

    CREATED = 1
    UPDATED = 2
    ARCHIVED = 3
    DELETED = 4

    @property
    def label(self) -> str:
        """The word that people see."""
        return self.name.lower()


class Written(Struct, frozen=True):
    """One record that was written, to be kept."""

    did: Did
    side: Side
    row: int
    twin: int | None
    changes: bytes | None = None


class Moment(Struct, frozen=True):
    """In which run something is settled, and when, in seconds since 1970."""

    run: int = 0
    at: float = 0.0


class Settlement(Struct):
    """All that one chunk of work changes, stored in one transaction."""

    moves: tuple[int, int] = (0, 0)
    """How often each reader (hub, app) had stored something when the chunk was loaded."""
    sightings: list[tuple[int, Sighting]] = field(default_factory=list)
    """(reader, what a side showed in answer to our write)."""
    agreed: list[tuple[Stored, Stored]] = field(default_factory=list)
    """New pairs (hub, app) that need no write: *seen* is what both showed at the chunk's load."""
    links: list[LinkChange] = field(default_factory=list)
    ended: list[tuple[int, Outcome, int]] = field(default_factory=list)
    """(hub row, outcome, old state) of links that lost one end."""
    removals: list[RemovalRow] = field(default_factory=list)
    removals_off: list[int] = field(default_factory=list)
    """Hub rows of links whose twin is no longer to go."""
    singles: list[SingleChange] = field(default_factory=list)
    created: list[CreatedLink] = field(default_factory=list)
    creations_done: list[Place] = field(default_factory=list)
    """(side where it was made, row of the source)."""
    done: list[Place] = field(default_factory=list)
    """No longer due."""
    due: list[Place] = field(default_factory=list)
    """Due again at once."""
    retries: list[tuple[Place, float, int]] = field(default_factory=list)
    """(record, when in seconds since 1970, attempts so far)."""
    revisits: list[Revisit] = field(default_factory=list)
    entered: dict[Place, bool] = field(default_factory=dict)
    """Which records are within their limit now; only of those where it matters."""
    waits: list[tuple[Place, tuple[tuple[int, str], ...]]] = field(default_factory=list)
    """For each planned record: the (reader, id) of far ends that it waits for, maybe none."""
    moment: Moment = Moment()
    """When it is stored, and in which run."""
    written: list[Written] = field(default_factory=list)
    """Records that were written, but for those that were made."""
    undone: list[int] = field(default_factory=list)
    """Hub rows of links of which nothing is to be put back any more."""


class Agreed(Struct):
    """*Seen* of one side."""

    seen: bytes
    same: bool
    """It is what the side showed when the chunk was loaded, or in answer to our write. Then it
    need not be stored twice, unless the side was read again since."""


class LinkChange(Struct):
    """The new state of one link."""

    hub: int
    app: int
    outcome: Outcome
    old_state: int | None
    """None = the link is new."""
    hub_agreed: Agreed
    app_agreed: Agreed
    flips: bytes | None = None


class SingleChange(Struct):
    """The new state of one unlinked record; an outcome of None forgets it."""

    side: Side
    row: int
    outcome: Outcome | None
    old_state: int | None


class CreatedLink(Struct):
    """A link to a record that we just made, whose row is known only after it is stored."""

    side: Side
    """Where it was made."""
    source: int
    sighting: Sighting
    outcome: Outcome
    hub_agreed: Agreed
    app_agreed: Agreed
    old_state: int | None = None
    """Of the source as a single."""
    again: bool = False
    """The app filled fields by itself: plan the new pair once more."""
