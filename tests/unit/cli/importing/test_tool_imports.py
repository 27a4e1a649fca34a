"""`opsloom tools`: what is imported loads, asks what the document says, and nothing more."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.commands.tools import commands
from cli.importing.imported import ImportFailed
from cli.importing.openapi import checked, imported_from
from cli.importing.reading import read_document
from registry.packs import load_pack
from registry.registry import Registry

DESK = Path(__file__).with_name("desk.yaml")
MCP_SERVER = Path(__file__).parents[3] / "support" / "mcp_server.py"
VARIABLES = {"data": "/", "clickhouse": "", "home": "/"}


def run(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(commands, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_an_openapi_document_becomes_tools_in_one_command(tmp_path: Path) -> None:
    """Reading operations only; the pack loads, and its questions with it."""
    report = run("import-openapi", str(DESK), "--pack", str(tmp_path / "desk"), "--source", "desk")

    assert report["tools"] == ["desk.list_tickets", "desk.get_tickets_ticket_id"]
    assert [each["operation"] for each in report["skipped"]] == ["POST /tickets", "GET /session"]
    registry = Registry.of(load_pack(tmp_path / "desk", VARIABLES))
    tool, source = registry.tools["desk.list_tickets"], registry.sources["desk"]
    assert source.location == "https://desk.example.com/api"
    assert source.outbound is not None
    assert source.outbound.credential is not None
    assert (source.outbound.credential.header, source.outbound.credential.secret) == (
        "X-Api-Key",
        "env:DESK_TOKEN",
    )
    assert tool.http is not None
    assert tool.http.query == {"limit": "{limit}", "filter[status]": "{filter_status}"}
    assert tool.http.rows == "items"
    assert tool.parameters["properties"]["limit"]["default"] == 20
    assert tool.parameters["properties"]["filter_status"]["enum"] == ["open", "closed"]
    assert "X_Region" not in tool.parameters["properties"]
    assert registry.template("desk.list_tickets.ask") is not None


def test_a_name_that_is_none_in_a_path_gets_one(tmp_path: Path) -> None:
    run("import-openapi", str(DESK), "--pack", str(tmp_path / "desk"), "--source", "desk")

    tool = Registry.of(load_pack(tmp_path / "desk", VARIABLES)).tools["desk.get_tickets_ticket_id"]

    assert tool.http is not None
    assert tool.http.path == "/tickets/{ticket_id}"
    assert tool.parameters["required"] == ["ticket_id"]
    assert "\n" not in tool.description


def test_writes_are_for_administrators_and_only_when_asked_for(tmp_path: Path) -> None:
    words = ("--pack", str(tmp_path / "desk"), "--source", "desk", "--only", "createTicket")

    run("import-openapi", str(DESK), *words, "--allow-writes")

    tool = Registry.of(load_pack(tmp_path / "desk", VARIABLES)).tools["desk.create_ticket"]
    assert tool.roles == ("admin",)
    assert tool.http is not None
    assert (tool.http.method, tool.http.body) == ("POST", "{body}")
    assert tool.parameters["required"] == ["body"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"openapi": "2.0"},
        {"swagger": "2.0"},
        {"openapi": "3.0.0", "info": {}, "paths": {}},
        {"openapi": "3.1.0"},
    ],
)
def test_what_is_no_openapi_is_refused(document: Any) -> None:
    with pytest.raises(ImportFailed):
        checked(document)


def test_a_service_nobody_can_find_is_refused() -> None:
    document = yaml.safe_load(DESK.read_text())
    document["servers"] = [{"url": "/api"}]

    with pytest.raises(ImportFailed, match="--server"):
        imported_from(document, "desk")

    made = imported_from(document, "desk", server="https://desk.example.com/openapi.json")
    assert made.source["location"] == "https://desk.example.com/api"


@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/openapi.json", "http://localhost/openapi.json", "/no/such/file"]
)
def test_a_document_that_may_not_be_read_is_refused(place: str) -> None:
    with pytest.raises(ImportFailed):
        read_document(place)


def test_files_that_are_there_are_kept(tmp_path: Path) -> None:
    words = ("import-openapi", str(DESK), "--pack", str(tmp_path / "desk"), "--source", "desk")
    run(*words)

    with pytest.raises(ImportFailed, match="there already"):
        CliRunner().invoke(commands, [*words], catch_exceptions=False)
    run(*words, "--replace")


def test_an_mcp_servers_tools_are_imported_as_drafts(tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="needs the extra mcp")
    words = (
        "--pack",
        str(tmp_path / "far"),
        "--source",
        "far",
        "--command",
        f"{sys.executable} {MCP_SERVER} stdio",
    )

    report = run("import-mcp", *words, "--role", "admin")

    assert "far.find_tickets" in report["tools"]
    pack = load_pack(tmp_path / "far", VARIABLES)
    tool = next(each for each in pack.tools if each.id == "far.find_tickets")
    assert (tool.status, tool.roles, tool.mcp and tool.mcp.tool) == ("draft", ("admin",), "find_tickets")
    assert tool.parameters["required"] == ["status"]
    assert "far.find_tickets" not in Registry.of(pack).tools


def test_only_an_administrator_imports_from_an_mcp_server(tmp_path: Path) -> None:
    words = ["import-mcp", "--pack", str(tmp_path / "far"), "--url", "https://mcp.example.com/mcp"]

    with pytest.raises(ImportFailed, match="PERMISSION_DENIED"):
        CliRunner().invoke(commands, words, catch_exceptions=False)
    assert not (tmp_path / "far").exists()
