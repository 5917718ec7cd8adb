"""Files as people and their programs leave them: broken, moving, locked, without keys."""

from __future__ import annotations

import fcntl
import os
import tracemalloc
from pathlib import Path

import pytest
from tests.connectors.files.tables import create, delete, files, listed, update

from twofold.connectors.files import replacing
from twofold.core.errors import TwofoldError
from twofold.core.schema import Op
from twofold.kit.cells import guarded, unguarded
from twofold.kit.contract import Status, Write
from twofold.kit.errors import SchemaChanged, Unavailable

PEOPLE = "people.csv"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / PEOPLE
    path.write_text("id,name\n1,Ada\n2,Bea\n")
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b'id,name\n1,"Ada\n2,Bea\n', "amid a quoted cell"),
        (b"id,name\n1,\x81\x8d\n", "name its encoding"),
    ],
)
async def test_a_file_that_is_not_whole_is_tried_again(
    people: Path, content: bytes, words: str
) -> None:
    people.write_bytes(content)
    for call in (files(people).verify(), listed(files(people), PEOPLE, "name")):
        with pytest.raises(Unavailable, match=words) as caught:
            await call
        assert PEOPLE in str(caught.value)


@pytest.mark.parametrize("name", ["a.jsonl", "a.xlsx"])
async def test_half_of_another_form_is_tried_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'{"id": 1, "na' if name.endswith("l") else b"PK\x03\x04half a workbook")
    with pytest.raises(Unavailable, match=name):
        await files(path).verify()
    whole = tmp_path / "b.csv"
    whole.write_text("id\n")
    if name.endswith("x"):  # beside it, the others can be read
        assert [kind.name for kind in await files(tmp_path).describe()] == ["b.csv"]


async def test_a_file_that_is_gone_or_forbidden_is_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such file"):
        await files(tmp_path / "none.csv").verify()
    with pytest.raises(SchemaChanged, match="no object type"):
        await listed(files(tmp_path), "none.csv")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,a\n2,b\n1,c\n", "'1' stands in row 2 and 4"),
        ("1,a\n,b\n ,c\n", "nothing in it in row 3, 4"),
    ],
)
async def test_rows_that_cannot_be_told_apart_ask_a_person(
    people: Path, rows: str, words: str
) -> None:
    people.write_text("id,name\n" + rows)
    with pytest.raises(SchemaChanged, match=words) as caught:
        await listed(files(people), PEOPLE, "name")
    assert caught.value.issue.code == "TF-F35"
    with pytest.raises(SchemaChanged):
        await update(files(people), PEOPLE, "1", {"name": "x"})
    assert people.read_text() == "id,name\n" + rows


async def test_a_new_header_is_seen(people: Path) -> None:
    connector = files(people)
    await listed(connector, PEOPLE, "name")
    people.write_text("name,id\nAda,1\n")
    assert (await listed(connector, PEOPLE, "name"))["1"].fields == {"name": "Ada"}
    people.write_text("id,full name\n1,Ada\n")
    with pytest.raises(SchemaChanged) as caught:
        await listed(connector, PEOPLE, "name")
    assert caught.value.issue.code == "TF-F01"
    people.write_text("number,name\n1,Ada\n")
    with pytest.raises(SchemaChanged) as caught:
        await listed(connector, PEOPLE, "name")
    assert caught.value.issue.code == "TF-F31"
    with pytest.raises(SchemaChanged) as caught:
        await files(people, keys=f"{PEOPLE}=id").verify()
    assert caught.value.issue.code == "TF-F32"
    assert list(await listed(files(people, keys="number"), PEOPLE, "name")) == ["1"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [("kinds", "born=day"), ("kinds", "born"), ("encoding", "klingon"), ("timezone", "Mars/Base")],
)
def test_an_answer_that_makes_no_sense_is_refused(people: Path, question: str, answer: str) -> None:
    with pytest.raises(TwofoldError) as caught:
        files(people, **{question: answer})
    assert caught.value.issue.code == "TF-A31"


async def test_a_file_of_another_form_is_not_looked_into(tmp_path: Path) -> None:
    """Neither by its own name nor by that of a link to it."""
    secret = tmp_path / "key"
    secret.write_text("id,name\n1,secret\n")
    link = tmp_path / "innocent.csv"
    link.symlink_to(secret)
    for path in (secret, link):
        with pytest.raises(TwofoldError) as caught:
            await files(path).verify()
        assert caught.value.issue.code == "TF-A31"
    assert await files(tmp_path).describe() == []


# --- other programs at the same time --------------------------------------------------------------


async def test_an_edit_between_our_reading_and_our_writing_is_kept(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other program writes right before the last comparison, three times over."""
    plain, times = replacing.digest, iter(range(3))

    def digest(path: Path) -> bytes:
        if path != people and next(times, None) is not None:  # of the new version
            people.write_text(people.read_text() + f"{people.stat().st_size},Late\n")
        return plain(path)

    monkeypatch.setattr(replacing, "digest", digest)
    result = await update(files(people), PEOPLE, "1", {"name": "Eva"})
    assert result.status is Status.OK
    assert people.read_text().startswith("id,name\n1,Eva\n2,Bea\n")
    assert people.read_text().count("Late") == 3


async def test_who_never_stops_writing_is_waited_for(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replacing.digest

    def digest(path: Path) -> bytes:
        if path != people:
            people.write_text(people.read_text() + f"{people.stat().st_size},Late\n")
        return plain(path)

    monkeypatch.setattr(replacing, "digest", digest)
    with pytest.raises(Unavailable, match="other programs keep writing it"):
        await update(files(people), PEOPLE, "1", {"name": "Eva"})
    assert "Eva" not in people.read_text()


async def test_an_edit_that_keeps_size_and_time_is_seen(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, times = replacing.digest, iter(range(1))
    before = people.stat()

    def digest(path: Path) -> bytes:
        if path != people and next(times, None) is not None:
            people.write_bytes(people.read_bytes().replace(b"Bea", b"Ben"))
            os.utime(people, ns=(before.st_atime_ns, before.st_mtime_ns))
        return plain(path)

    monkeypatch.setattr(replacing, "digest", digest)
    await update(files(people), PEOPLE, "1", {"name": "Eva"})
    assert people.read_text() == "id,name\n1,Eva\n2,Ben\n"


async def test_a_file_that_is_replaced_amid_a_listing_is_listed_anew(people: Path) -> None:
    from twofold.connectors.files import Files

    connector = Files({"path": str(people)}, page_size=1)
    first = await connector.pull(PEOPLE, None, ["name"])
    other = people.with_name("other")
    other.write_text("id,name\n2,Bea\n3,Cid\n4,Dan\n")
    other.replace(people)
    seen, cursor, more = set(first.ids), first.cursor, True
    while more:
        page = await connector.pull(PEOPLE, cursor, ["name"])
        seen, cursor, more = seen | set(page.ids), page.cursor, page.more
    assert seen == {"1", "2", "3", "4"}


async def test_a_listing_goes_on_for_thousands_of_pages(people: Path) -> None:
    from twofold.connectors.files import Files

    people.write_text("id,name\n" + "".join(f"{n},N\n" for n in range(3_000)))
    found = await listed(Files({"path": str(people)}, page_size=1), PEOPLE, "name")
    assert list(found) == [str(n) for n in range(3_000)]


async def test_a_locked_file_is_read_and_not_written(people: Path) -> None:
    connector = files(people)
    with people.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert len(await listed(connector, PEOPLE, "name")) == 2
        with pytest.raises(Unavailable, match="locked"):
            await update(connector, PEOPLE, "1", {"name": "Eva"})
    beside = people.with_name(f".~lock.{PEOPLE}#")
    beside.write_text("Ada at her desk")
    with pytest.raises(Unavailable, match="has it open"):
        await create(connector, PEOPLE, {"name": "Eva"})
    beside.unlink()
    assert (await update(connector, PEOPLE, "1", {"name": "Eva"})).status is Status.OK


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="no space left"):
        await update(files(people), PEOPLE, "1", {"name": "Eva"})
    assert people.read_text() == "id,name\n1,Ada\n2,Bea\n"
    assert list(people.parent.iterdir()) == [people]


async def test_what_a_killed_process_left_is_swept_away(people: Path) -> None:
    left = people.with_name(f".{PEOPLE}.twofold-x1.csv")
    left.write_text("half")
    assert [kind.name for kind in await files(people.parent).describe()] == [PEOPLE]
    await update(files(people), PEOPLE, "1", {"name": "Eva"})
    assert not left.exists()


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1", "'=1", "''=1", "+1", "-x", "@a", "\tx", "'", "'s", "a=1", "-5", "+31 (20) 1"]
)
def test_the_guard_against_formulas_can_be_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text
    harmless = text in {"-5", "+1", "+31 (20) 1"}
    assert harmless or guarded(text)[:1] not in set("=+-@\t\r")


async def test_a_cell_that_is_not_what_its_column_says_is_shown_as_it_stands(people: Path) -> None:
    people.write_text("id,born,n\n1,soon,1e99999999\n2,2024-02-29, 7 \n")
    found = await listed(files(people, kinds="born=date, n=int"), PEOPLE, "born", "n")
    assert found["1"].fields == {"born": "soon", "n": "1e99999999"}
    assert str(found["2"].fields["born"]) == "2024-02-29"
    assert found["2"].fields["n"] == 7


async def test_a_key_of_its_own_is_taken_once(people: Path) -> None:
    connector = files(people)
    made = await create(connector, PEOPLE, {"id": "x", "name": "Cid"}, ref="r1")
    again = await create(connector, PEOPLE, {"id": "x", "name": "Cid"}, ref="r2")
    assert (made.id, again.status) == ("x", Status.DUPLICATE)
    assert again.issue is not None
    assert again.issue.other_id == "x"
    (renamed,) = await connector.push(PEOPLE, [Write("r", Op.UPDATE, "x", {"id": "y"})])
    assert renamed.status is Status.INVALID


async def test_a_repeated_create_and_two_writes_of_one_record_in_one_push(people: Path) -> None:
    connector = files(people)
    creates = [Write(ref, Op.CREATE, fields={"name": ref}) for ref in ("a", "b")]
    first = await connector.push(PEOPLE, creates)
    again = await connector.push(PEOPLE, creates)
    assert [r.id for r in first] == [r.id for r in again]
    assert people.read_text().count("\n") == 5
    both = [Write(ref, Op.UPDATE, "1", {"name": ref}) for ref in ("c", "d")]
    results = await connector.push(PEOPLE, both)
    assert [r.stored and r.stored.fields["name"] for r in results] == ["c", "d"]
    assert (await delete(connector, PEOPLE, "1")).status is Status.OK


async def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    """Its keys are, with eight bytes each, while they are compared."""
    path = tmp_path / "large.csv"
    note = "x" * 600
    with path.open("w") as out:
        out.write("id,name,note\n")
        out.writelines(f"{n},Name {n},{note}\n" for n in range(20_000))
    connector = files(path)
    tracemalloc.start()
    page = await connector.pull("large.csv", None, ["name"])
    await connector.pull("large.csv", page.cursor, ["name"])
    result = await update(connector, "large.csv", "19999", {"name": "Last"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.status is Status.OK
    assert peak < path.stat().st_size / 2
