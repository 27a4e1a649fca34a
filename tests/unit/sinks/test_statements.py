"""What the embedded front reads out of a statement's text."""

from __future__ import annotations

import pytest

from sinks.front.statement import (
    insert_with_rows,
    kill_by_comment,
    names_a_file_of_the_server,
    reads_outside,
    trailing_format,
)
from sinks.migrate import split_statements


@pytest.mark.parametrize(
    ("text", "head", "form", "rows"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", "INSERT INTO t", "Native", b"\x01\x02"),
        (b"insert into `d`.`t x` (`a`, b) format TSV\n\n1", "insert into `d`.`t x` (`a`, b)", "TSV", b"\n1"),
        (b"\n INSERT INTO TABLE t FORMAT JSONEachRow {}", "INSERT INTO TABLE t", "JSONEachRow", b"{}"),
        (b"INSERT INTO t FORMAT CSV", "INSERT INTO t", "CSV", b""),
        ("INSERT INTO `tö` FORMAT TSV\nä".encode(), "INSERT INTO `tö`", "TSV", "ä".encode()),
    ],
)
def test_an_insert_is_split_from_its_rows(text: bytes, head: str, form: str, rows: bytes) -> None:
    """Byte for byte, whatever the rows hold."""
    found = insert_with_rows(text)
    assert found is not None
    assert (found.head, found.format, found.rows) == (head, form, rows)


def test_an_inserts_own_settings_are_kept() -> None:
    """They stand between columns and format."""
    found = insert_with_rows(b"INSERT INTO t (a) SETTINGS x = 'a b', y=1 FORMAT TSV\n1")
    assert found is not None
    assert (found.settings.strip(), found.rows) == ("x = 'a b', y=1", b"1")


@pytest.mark.parametrize(
    "text",
    [
        b"INSERT INTO t VALUES (1)",
        b"INSERT INTO t SELECT 1",
        b"SELECT 1 FORMAT TSV",
        b"INSERT INTO t FORMAT Values (1)",
        b"",
    ],
)
def test_other_statements_are_left_whole(text: bytes) -> None:
    """The engine reads these itself."""
    assert insert_with_rows(text) is None


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1", None),
        ("SELECT 1 FORMAT JSON", "JSON"),
        ("SELECT 1\n format  TSV ;\n", "TSV"),
        ("SELECT 'FORMAT x'", None),
    ],
)
def test_the_format_asked_for(sql: str, found: str | None) -> None:
    """Only at the end."""
    assert trailing_format(sql) == found


def test_a_kill_by_query_id_finds_the_fronts_mark() -> None:
    """Any other kill stays as it is."""
    assert kill_by_comment("KILL QUERY WHERE query_id = 'x' SYNC") == (
        "KILL QUERY WHERE Settings['log_comment'] = 'x' SYNC"
    )
    assert kill_by_comment("KILL QUERY WHERE user = 'x'") is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('x')",
        "SELECT * FROM FILE ('x')",
        "SELECT * FROM file/* ' */('x')",
        "SELECT '\\'' , file('x')",
        "SELECT '''' , file('x')",
        "SELECT \u2018'\u2019, file('x'), \u2018'\u2019",
        "SELECT $a$'$a$, url('x')",
        "SELECT * FROM t, s3('x')",
        "SELECT 1 -- '\n FROM remote('x')",
        "SELECT * FROM `/etc/passwd`",
        'SELECT * FROM x."..\\\\y"',
    ],
)
def test_reading_outside_is_seen_through_quotes_and_comments(sql: str) -> None:
    """A quote inside one kind of string or comment never hides what follows it."""
    assert reads_outside(sql, default_database=False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'file(x)'",
        'SELECT "file(x)" FROM t',
        "SELECT 1 /* url('x') */",
        "SELECT profile(x) FROM t",
        "SELECT a FROM t WHERE path = '/etc'",
        "SELECT file, url FROM t",
    ],
)
def test_words_that_only_look_like_it_pass(sql: str) -> None:
    """Values, names and comments are not calls."""
    assert not reads_outside(sql, default_database=False)


def test_a_string_as_table_is_a_path_in_the_default_database_only() -> None:
    """Elsewhere the engine takes it for a table's name."""
    sql = "SELECT * FROM t, '/etc/passwd'"
    assert reads_outside(sql, default_database=True)
    assert not reads_outside(sql, default_database=False)


def test_files_of_the_server_are_named_outside_of_strings_only() -> None:
    """INTO OUTFILE belongs to a command line client."""
    assert names_a_file_of_the_server("SELECT 1 INTO\nOUTFILE 'x'")
    assert names_a_file_of_the_server("INSERT INTO t FROM INFILE 'x'")
    assert not names_a_file_of_the_server("SELECT 'INTO OUTFILE'")


def test_migrations_are_split_at_semicolons_that_end_a_line() -> None:
    """Comments go, strings stay."""
    assert split_statements("-- a;\nA ';' b;\n\nC\n  d;  \n-- e\n") == ("A ';' b", "C\n  d")
