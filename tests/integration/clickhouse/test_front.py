"""The embedded front answers as ClickHouse's HTTP interface does."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import clickhouse_connect
import psutil
import pytest

from sinks.client import ClickHouseError, command, connect, insert, query
from sinks.embedded_clickhouse import EmbeddedClickHouse, EmbeddedClickHouseError

_LONG = "SELECT count() FROM numbers(30000000000) WHERE NOT ignore(sipHash64(number))"


def _ask(url: str, sql: str, *, post: bool = True, **parameters: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one plain request, as curl would send it."""
    address = f"{url}/?{urlencode(parameters if post else {'query': sql, **parameters})}"
    try:
        with urllib.request.urlopen(address, sql.encode() if post else None, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


def _wait_for_query(url: str, mark: str, *, there: bool) -> None:
    """Until a query with this mark runs, or runs no more."""
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    give_up_at = time.monotonic() + 10
    while (_ask(url, sql)[2].strip() != "0") != there:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_ping_and_a_query_in_any_format(engine: EmbeddedClickHouse) -> None:
    """curl's way: text out by default, the asked format otherwise, named in the headers."""
    with urllib.request.urlopen(f"{engine.url}/ping") as answer:
        assert answer.read() == b"Ok.\n"

    status, headers, body = _ask(engine.url, "SELECT 1 AS a, 'x' AS b", query_id="mine")
    assert (status, body) == (200, "1\tx\n")
    assert headers["X-ClickHouse-Format"] == "TabSeparated"
    assert headers["X-ClickHouse-Query-Id"] == "mine"
    assert int(json.loads(headers["X-ClickHouse-Summary"])["read_rows"]) >= 1

    _, headers, body = _ask(engine.url, "SELECT 1 AS a FORMAT JSONEachRow")
    assert (headers["X-ClickHouse-Format"], json.loads(body)) == ("JSONEachRow", {"a": 1})


def test_parameters_are_bound_and_settings_hold_for_one_query(engine: EmbeddedClickHouse) -> None:
    """A value is never SQL; a setting does not outlive the query that brought it."""
    nasty = "x' OR 1 = 1 --"
    assert (
        _ask(engine.url, "SELECT {v:String}", param_v=nasty)[2]
        == f"{nasty.replace(chr(39), chr(92) + chr(39))}\n"
    )
    setting = "SELECT value FROM system.settings WHERE name = 'max_threads'"
    assert _ask(engine.url, setting, max_threads="1")[2] == "1\n"
    assert _ask(engine.url, setting)[2] != "1\n"


def test_an_ordinary_client_works_with_its_defaults(engine: EmbeddedClickHouse, database: str) -> None:
    """clickhouse-connect as anybody would write it: compression on, Native inserts, typed results."""
    client = clickhouse_connect.get_client(host="127.0.0.1", port=int(engine.address.split(":")[1]))
    client.command(f"CREATE DATABASE {database}")
    client.command(f"CREATE TABLE {database}.t (a Int32, b Array(String)) ENGINE = MergeTree ORDER BY a")

    written = client.insert("t", [[1, ["x"]], [2, []]], column_names=["a", "b"], database=database)

    assert written.written_rows == 2
    assert client.query(f"SELECT * FROM {database}.t ORDER BY a").result_rows == [(1, ["x"]), (2, [])]
    assert client.command("SELECT 5") == 5


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELEC 1", "62", 400),
        ("SELECT 1; SELECT 2", "62", 400),
        ("SELECT * FROM nowhere", "60", 404),
        ("SELECT nope", "47", 404),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", "48", 501),
        ("SELECT * FROM python('x')", "48", 501),
        ("INSERT INTO nowhere FORMAT TSV\n1", "60", 404),
        ("SELECT throwIf(1)", "395", 500),
    ],
)
def test_errors_carry_the_engines_code_and_words(
    engine: EmbeddedClickHouse, sql: str, code: str, status: int
) -> None:
    """As the server: status, X-ClickHouse-Exception-Code and the exception as text."""
    got, headers, body = _ask(engine.url, sql)
    assert (got, headers["X-ClickHouse-Exception-Code"]) == (status, code)
    assert body.startswith(f"Code: {code}. DB::Exception: ")


def test_a_reader_changes_nothing_and_the_next_query_is_free_again(
    engine: EmbeddedClickHouse, database: str
) -> None:
    """readonly holds for inserts too, and a query that failed under it leaves nothing behind."""
    writer, reader = connect(engine.url, database), connect(engine.url, database, role="reader")
    command(connect(engine.url, "default"), f"CREATE DATABASE {database}")
    command(writer, "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a")

    for attempt in (
        lambda: insert(reader, "t", [{"a": 1}]),
        lambda: command(reader, "INSERT INTO t VALUES (1)"),
        lambda: command(reader, "DROP TABLE t"),
        lambda: command(reader, "SET readonly = 0"),
        lambda: query(reader, "SELECT 1 FROM t SETTINGS readonly = 0"),
    ):
        with pytest.raises(ClickHouseError) as refused:
            attempt()
        assert refused.value.code == 164

    insert(writer, "t", [{"a": 1}])
    assert query(reader, "SELECT count() AS n FROM t") == [{"n": 1}]


def test_a_get_is_read_only(engine: EmbeddedClickHouse) -> None:
    """A link can change nothing, as with the server."""
    assert _ask(engine.url, "SELECT 1", post=False)[0] == 200
    assert _ask(engine.url, "CREATE DATABASE by_link", post=False)[0] == 403


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM /* a */ `file` /* b */ ('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT $x$'$x$, file('/etc/passwd'), $x$'$x$",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM default.`/etc/passwd`",
        'SELECT * FROM "/etc/passwd"',
        "SELECT 1 FROM system.one, '/etc/passwd'",
        "INSERT INTO FUNCTION file('/tmp/never.csv') SELECT 1",
    ],
)
def test_a_reader_sees_nothing_outside_the_engine(engine: EmbeddedClickHouse, sql: str) -> None:
    """The engine's own readonly would read files and addresses; the front does not let it."""
    status, headers, body = _ask(engine.url, sql, readonly="2")
    assert status in (403, 404), body
    assert "root:" not in body
    assert headers["X-ClickHouse-Exception-Code"] in ("497", "164")


def test_a_path_in_a_value_is_only_a_value(engine: EmbeddedClickHouse) -> None:
    """Refusing files must not refuse words that look like them."""
    assert _ask(engine.url, "SELECT 'file(/etc/passwd)' WHERE 'x' != '/etc'", readonly="2")[0] == 200


def test_a_browsers_page_is_turned_away(engine: EmbeddedClickHouse) -> None:
    """Neither a page of another origin nor a name that was made to point here."""
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        request = urllib.request.Request(f"{engine.url}/?query=SELECT+1", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        refused.value.close()
        assert refused.value.code == 403


def test_quick_queries_do_not_wait_for_a_long_one(engine: EmbeddedClickHouse) -> None:
    """Several clients at once; and a query ends when its client goes away, or when it is killed by its id."""
    mark = "/* kill me */"
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(_ask, engine.url, f"{_LONG} {mark}", query_id="long-one")
        _wait_for_query(engine.url, "kill me", there=True)

        begun = time.monotonic()
        assert _ask(engine.url, "SELECT 1")[2] == "1\n"
        assert time.monotonic() - begun < 2

        _ask(engine.url, "KILL QUERY WHERE query_id = 'long-one'")
        assert long.result(10)[1]["X-ClickHouse-Exception-Code"] == "394"


def test_a_query_ends_when_its_client_goes_away(engine: EmbeddedClickHouse) -> None:
    """Nobody waits for it, so nothing computes it."""
    address = f"{engine.url}/?{urlencode({'query': _LONG + ' /* left alone */'})}"

    def wait_a_little() -> None:
        with suppress(OSError):
            urllib.request.urlopen(address, None, 0.5)

    waiting = threading.Thread(target=wait_a_little, daemon=True)
    waiting.start()
    _wait_for_query(engine.url, "left alone", there=True)
    waiting.join()
    _wait_for_query(engine.url, "left alone", there=False)


def test_rows_of_one_token_go_in_once(engine: EmbeddedClickHouse, database: str) -> None:
    """The second insert under a token is acknowledged and changes nothing."""
    command(connect(engine.url, "default"), f"CREATE DATABASE {database}")
    client = connect(engine.url, database)
    command(
        client,
        "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100",
    )
    for token in ("one", "one", "two"):
        insert(client, "t", [{"a": 1}, {"a": 2}], token=token)
    assert query(client, "SELECT count() AS n FROM t") == [{"n": 4}]


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    """SIGKILL between two inserts loses neither; a second process is turned away in one sentence."""
    engine = EmbeddedClickHouse(tmp_path)
    try:
        client = connect(engine.start(), "default")
        command(client, "CREATE DATABASE d")
        command(client, "CREATE TABLE d.t (a Int32) ENGINE = MergeTree ORDER BY a")
        insert(client, "d.t", [{"a": number} for number in range(1000)])

        with pytest.raises(EmbeddedClickHouseError, match="another embedded ClickHouse is using"):
            EmbeddedClickHouse(tmp_path).start()
        by_hand = subprocess.run(
            [sys.executable, "-m", "sinks.embedded_clickhouse", "--path", str(tmp_path), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert by_hand.returncode == 3
        assert by_hand.stderr.strip().count("\n") == 0

        engine.kill()
        again = connect(engine.start(), "d")
        assert query(again, "SELECT count() AS n, max(a) AS m FROM t") == [{"n": 1000, "m": 999}]
        assert engine.stop()
    finally:
        engine.kill()


def test_the_engine_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Even when that is killed outright."""
    script = (
        "import sys, time; from pathlib import Path; from sinks.embedded_clickhouse import EmbeddedClickHouse\n"
        f"engine = EmbeddedClickHouse(Path({str(tmp_path)!r})); engine.start()\n"
        "print(engine.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    engine = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs([engine], timeout=15)
    assert not alive


def test_it_stops_in_time_whatever_runs(tmp_path: Path) -> None:
    """A read that would take hours is broken off, and the process ends by itself."""
    engine = EmbeddedClickHouse(tmp_path)
    url = engine.start()
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(_ask, url, f"{_LONG} /* to be stopped */")
        _wait_for_query(url, "to be stopped", there=True)
        begun = time.monotonic()
        assert engine.stop(timeout_s=8)
        assert time.monotonic() - begun < 4
        assert long.exception(5) is not None


def test_an_engine_that_was_killed_comes_back_on_its_port(tmp_path: Path) -> None:
    """Those who hold its address find it again."""
    engine = EmbeddedClickHouse(tmp_path)
    try:
        first = engine.start()
        engine.kill()

        again = engine.start()

        assert again == first
        assert query(connect(again, "default"), "SELECT 1 AS one") == [{"one": 1}]
    finally:
        engine.stop()
