"""`opsloom documents load`: a folder in, a store out, and words about what was left out."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app

RUNNER = CliRunner()


def test_a_folder_becomes_a_store(tmp_path: Path) -> None:
    """Rows are counted, the file that is no PDF is named."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "disk.md").write_text("# Disk\n\nDelete logs.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4")

    ran = RUNNER.invoke(
        app,
        ["documents", "load", str(folder), "--into", str(tmp_path / "s.db"), "--tenant", "acme", "--json"],
    )

    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["rows"] == {"documents": 1, "chunks": 1}
    assert [each["path"] for each in told["skipped"]] == ["broken.pdf"]
    with closing(sqlite3.connect(tmp_path / "s.db")) as store:
        assert store.execute("SELECT tenant_id FROM documents").fetchall() == [("acme",)]


def test_a_folder_without_documents_is_an_error(tmp_path: Path) -> None:
    ran = RUNNER.invoke(app, ["documents", "load", str(tmp_path), "--into", str(tmp_path / "s.db")])

    assert ran.exit_code == 1
    assert "No document could be read" in ran.output
