"""Statuses are the words that people know, and a queued one says why."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from twofold.core.status import Facts, Queue, Word, standing

FACTS = st.builds(
    Facts,
    object_name=st.just("contact"),
    plural=st.just("contacts"),
    code=st.sampled_from(["", "TF-C01", "TF-C02", "TF-U22", "TF-B01"]),
    sentence=st.just("It is so."),
    waits_for=st.sampled_from(["", "shop-companies"]),
    scanned=st.integers(0, 100),
    due=st.integers(0, 100),
    total=st.none() | st.integers(0, 200),
    rate=st.floats(0, 1000),
)
ON = Facts("contact", "contacts")


def changed(**facts: object) -> Facts:
    return msgspec.structs.replace(ON, **facts)


def test_each_status_has_the_words_of_the_reference() -> None:
    told = [
        standing(changed(enabled=False)).text,
        standing(ON).text,
        standing(changed(scanned=59)).text,
        standing(changed(indexed=True, due=3)).text,
        standing(changed(indexed=True, due=3, running=True, done=7, total=10)).text,
        standing(changed(indexed=True, waiting=2, until="12:06")).text,
        standing(changed(indexed=True)).text,
        standing(changed(needs_person=True, code="TF-A01")).text,
        standing(changed(waits_for="shop-companies")).text,
    ]
    assert told == [
        "Turned off",
        "No active syncs",
        "59 contacts scanned",
        "In progress",
        "In progress: 7 of 10 contacts",
        "In progress",
        "Active and listening",
        "Action required",
        "Contact sync queued",
    ]


def test_the_reasons_of_a_queue() -> None:
    reasons = {
        Queue.ORDER: changed(waits_for="shop-companies"),
        Queue.LIMIT: changed(code="TF-C02", indexed=True),
        Queue.LINE: changed(late=True, indexed=True),
        Queue.REACH: changed(code="TF-C01", resumes="12:06"),
    }
    assert {standing(facts).queue for facts in reasons.values()} == set(reasons)
    assert all(standing(facts).queue is queue for queue, facts in reasons.items())
    assert "12:06" in standing(reasons[Queue.REACH]).reason


@given(FACTS)
def test_a_person_is_asked_before_all_and_off_is_off(facts: Facts) -> None:
    assert standing(facts).reason
    asked = msgspec.structs.replace(facts, needs_person=True, enabled=True)
    assert standing(asked).word is Word.ACTION_REQUIRED
    assert standing(msgspec.structs.replace(asked, enabled=False)).word is Word.OFF


@given(FACTS)
def test_nothing_listens_before_both_sides_were_read_or_while_something_is_due(
    facts: Facts,
) -> None:
    if standing(facts).word is Word.ACTIVE:
        assert facts.indexed
        assert not facts.due
        assert not facts.code


def test_the_time_left() -> None:
    found = standing(changed(indexed=True, running=True, due=50, done=50, total=100, rate=5.0))
    assert (found.left, found.rate) == (10.0, 5.0)
    assert standing(changed(indexed=True, running=True, due=5, total=9)).left is None
