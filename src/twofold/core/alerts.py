"""Alerts: what people are told of, when it begins, while it lasts, and when it is over (H8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from twofold.core.health import Counts


class Trigger(StrEnum):
    """What people are told of."""

    ACTION = "action"
    """A sync waits for a person: a brake, a reconnect, an app that refuses."""
    SHARE = "failing-share"
    """Too many of the records that take part are failing."""
    OLDEST = "failing-long"
    """Records have been failing for long, without a moment in which none was."""
    SILENT = "silent"
    """No run has got through for long."""
    DRIFT = "drift"
    """The comparison of all pairs found what had been missed."""


class Thresholds(Struct, frozen=True):
    """When people are told, and how often; a number of 0 turns its trigger off."""

    failing_share: float = 5.0
    """Percent of the records that take part."""
    failing_hours: float = 24.0
    silent_hours: float = 24.0
    action: bool = True
    drift: bool = True
    again_hours: float = 0.0
    """Tell again while it lasts, so often; 0 = only when it begins."""
    recovered: bool = True
    """Tell when it is over, too."""


class Facts(Struct, frozen=True):
    """What alerts about one sync go by. Times are seconds since 1970."""

    sync: str
    enabled: bool
    counts: Counts
    needs_person: bool
    sentence: str
    """Why it waits for a person."""
    through: float
    """When a run last got through, or the sync was first seen."""
    drift: int
    """Pairs of which something had been missed, ever."""


class Standing(Struct, frozen=True):
    """What is known of one trigger of one sync."""

    since: float
    """When it began, seconds since 1970."""
    told: float = 0.0
    """When people were last told; 0 = not yet."""
    number: int = 0
    """What it counted then; only drift needs it."""


class News(StrEnum):
    """What is told about a trigger."""

    BEGAN = "began"
    LASTS = "lasts"
    OVER = "over"


class Message(Struct, frozen=True):
    """One thing to tell."""

    sync: str
    trigger: Trigger
    news: News
    sentence: str


Known = Mapping[Trigger, Standing]


def judge(
    thresholds: Thresholds, facts: Facts, known: Known, now: float
) -> tuple[dict[Trigger, Standing], list[Message]]:
    """What stands now, and what is to be told of it.

    A sync that is off has nothing to tell: a person turned it off.
    """
    standing: dict[Trigger, Standing] = {}
    messages: list[Message] = []
    holds = dict(_holding(thresholds, facts, known, now)) if facts.enabled else {}
    for trigger in Trigger:
        before = known.get(trigger)
        if trigger in holds:
            sentence, since, tells = holds[trigger]
            after = before or Standing(since)
            news = _news(thresholds, after, now) if tells else None
            if news is not None:
                after = Standing(after.since, now, facts.drift)
                messages.append(Message(facts.sync, trigger, news, sentence))
            standing[trigger] = after
        elif trigger is Trigger.DRIFT and before is not None:
            standing[trigger] = Standing(before.since, 0.0, facts.drift)  # drift is told, not ended
        elif before is not None and before.told and thresholds.recovered and facts.enabled:
            messages.append(Message(facts.sync, trigger, News.OVER, _OVER[trigger]))
    return standing, messages


def _news(thresholds: Thresholds, standing: Standing, now: float) -> News | None:
    if not standing.told:
        return News.BEGAN
    again = thresholds.again_hours * 3600
    return News.LASTS if again and now - standing.told >= again else None


_Holding = tuple[str, float, bool]
"""The sentence, since when, and whether it is told of (yet)."""


def _holding(
    thresholds: Thresholds, facts: Facts, known: Known, now: float
) -> Iterator[tuple[Trigger, _Holding]]:
    counts = facts.counts
    if thresholds.action and facts.needs_person:
        yield Trigger.ACTION, (f"It waits for a person: {facts.sentence}", now, True)
    taking_part = counts.in_sync + counts.failing
    share = 100 * counts.failing / taking_part if taking_part else 0.0
    if thresholds.failing_share and share > thresholds.failing_share:
        text = f"{counts.failing} of {taking_part} records are failing ({share:.1f} %)."
        yield Trigger.SHARE, (text, now, True)
    if thresholds.failing_hours and counts.failing:
        since = known[Trigger.OLDEST].since if Trigger.OLDEST in known else now
        hours = (now - since) / 3600
        text = f"{counts.failing} records are failing, and some have been for {hours:.0f} hours."
        yield Trigger.OLDEST, (text, since, hours >= thresholds.failing_hours)
    hours = (now - facts.through) / 3600
    if thresholds.silent_hours and hours >= thresholds.silent_hours:
        yield Trigger.SILENT, (f"No run has got through for {hours:.0f} hours.", now, True)
    seen = known[Trigger.DRIFT].number if Trigger.DRIFT in known else 0
    if thresholds.drift and facts.drift > seen:
        text = f"The comparison of all pairs found {facts.drift - seen} that had been missed."
        yield Trigger.DRIFT, (text, now, True)


_OVER = {
    Trigger.ACTION: "It waits for nobody any more.",
    Trigger.SHARE: "Fewer records are failing than the limit.",
    Trigger.OLDEST: "No record is failing any more.",
    Trigger.SILENT: "A run got through.",
    Trigger.DRIFT: "",
}


def headline(message: Message) -> str:
    """What a message is about, in a few words."""
    about = {
        Trigger.ACTION: "action required",
        Trigger.SHARE: "many records failing",
        Trigger.OLDEST: "records failing for long",
        Trigger.SILENT: "no run gets through",
        Trigger.DRIFT: "drift found",
    }[message.trigger]
    again = {News.BEGAN: "", News.LASTS: " (still)", News.OVER: ": over"}[message.news]
    return f"{message.sync}: {about}{again}"


def digest(all_facts: Iterable[Facts]) -> str:
    """Where every sync stands, a line for each."""
    lines = []
    for facts in all_facts:
        c = facts.counts
        word = "off" if not facts.enabled else facts.sentence if facts.needs_person else "on"
        lines.append(
            f"{facts.sync} ({word}): {c.in_sync} in sync, {c.failing} failing,"
            f" {c.excluded} excluded, {c.waiting} waiting"
        )
    return "\n".join(lines) or "There are no syncs."
