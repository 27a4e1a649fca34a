"""What a statement is, told from its text alone: an insert with data behind it, or one the front refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r'(?:`(?:[^`\\]|\\.)+`|"(?:[^"\\]|\\.)+"|[A-Za-z_]\w*)'
_INSERT = re.compile(
    rf"\s*(?P<head>INSERT\s+INTO\s+(?:TABLE\s+)?{_NAME}(?:\.{_NAME})?"
    rf"(?:\s*\((?:[^()'`\"]|`(?:[^`\\]|\\.)+`|\"(?:[^\"\\]|\\.)+\")*\))?)"
    r"(?P<settings>\s+SETTINGS\s+(?:[^'\s]|'(?:[^'\\]|\\.)*'|\s(?!FORMAT\b))+?)?"
    r"\s+FORMAT\s+(?P<format>\w+)[ \t]*(?:\r?\n|;|\s|$)",
    re.IGNORECASE,
)
_LONGEST_INSERT_HEAD = 64 * 1024

# Comments, then every spelling of a string, then every spelling of a quoted name, in one pass, so that
# a quote inside one kind never opens another.
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\u2018[^\u2019]*\u2019)"
    r"|(?P<name>`(?:[^`\\]|\\.|``)*`|\"(?:[^\"\\]|\\.|\"\")*\"|\u201c[^\u201d]*\u201d)",
    re.DOTALL,
)
_TRAILING_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_KILL = re.compile(r"\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'(?P<id>[^'\\]*)'(?P<rest>.*)", re.I | re.S)
_SERVER_FILE = re.compile(r"\bINTO\s+OUTFILE\b|\bFROM\s+INFILE\b", re.IGNORECASE)
_PYTHON = re.compile(r"\bpython\s*\(", re.IGNORECASE)
_OUTSIDE_FUNCTIONS = (
    "file", "filecluster", "url", "urlcluster", "s3", "s3cluster", "gcs", "oss", "cosn", "hdfs",
    "hdfscluster",
    "azureblobstorage", "azureblobstoragecluster", "iceberg", "icebergs3", "iceberglocal", "icebergazure",
    "deltalake", "deltalakelocal", "hudi", "paimon", "remote", "remotesecure", "cluster",
    "clusterallreplicas", "mysql", "postgresql", "mongodb", "redis", "sqlite", "odbc", "jdbc", "executable",
    "input", "python", "arrowflight", "ytsaurus", "dictionary_source",
)  # fmt: skip
_OUTSIDE = re.compile(rf"\b(?:{'|'.join(_OUTSIDE_FUNCTIONS)})\s*\(", re.IGNORECASE)
_PATH_AS_TABLE = re.compile(r"(?:\bFROM|\bJOIN|,|\.|\()\s*''/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class InsertWithRows:
    """An `INSERT … FORMAT x` whose rows follow in the request: statement, settings, format, rows."""

    head: str
    settings: str
    format: str
    rows: bytes


def insert_with_rows(text: bytes) -> InsertWithRows | None:
    """Split a request's text into statement and rows, or None if it is no insert with a FORMAT."""
    # Latin-1 keeps one character a byte, so a position in the head is a position in the request.
    match = _INSERT.match(text[:_LONGEST_INSERT_HEAD].decode("latin-1"))
    if match is None or match["format"].lower() == "values":
        return None
    return InsertWithRows(
        head=match["head"].encode("latin-1").decode(),
        settings=(match["settings"] or "").strip()[len("SETTINGS") :].encode("latin-1").decode(),
        format=match["format"],
        rows=text[match.end() :],
    )


def trailing_format(sql: str) -> str | None:
    """The format a statement asks for itself."""
    match = _TRAILING_FORMAT.search(sql)
    return match[1] if match else None


def kill_by_comment(sql: str) -> str | None:
    """A KILL by the client's query id, rewritten to find the mark the front left in `log_comment`."""
    match = _KILL.fullmatch(sql)
    return f"KILL QUERY WHERE Settings['log_comment'] = '{match['id']}'{match['rest']}" if match else None


def names_a_file_of_the_server(sql: str) -> bool:
    """INTO OUTFILE and FROM INFILE belong to a command line client; python() to a host program."""
    bare, _ = _skeleton(sql)
    return bool(_SERVER_FILE.search(bare) or _PYTHON.search(bare))


def reads_outside(sql: str, *, default_database: bool) -> bool:
    """Whether a statement reads files, other servers or programs through a table function or a path.

    The engine's own `readonly` lets these through. In the database `default`, which the engine overlays with
    the file system, a string after FROM, JOIN, a comma or a bracket is a path too if it holds a slash.
    """
    bare, path_as_name = _skeleton(sql)
    return (
        path_as_name
        or bool(_OUTSIDE.search(bare))
        or (default_database and bool(_PATH_AS_TABLE.search(bare)))
    )


def _skeleton(sql: str) -> tuple[str, bool]:
    """The statement without comments and contents of strings, quoted names bare; is one of them a path?

    A string with a slash in it leaves `''/`, any other `''`.
    """
    path_as_name = False

    def replace(match: re.Match[str]) -> str:
        nonlocal path_as_name
        if match["comment"] is not None:
            return " "
        if match["string"] is not None:
            return "''/" if "/" in match[0] or "\\" in match[0] else "''"
        path_as_name = path_as_name or "/" in match[0] or "\\" in match[0]
        bare_name = match[0][1:-1]
        return bare_name if bare_name.isidentifier() else "name"

    bare = _TOKEN.sub(replace, sql)
    return bare, path_as_name
