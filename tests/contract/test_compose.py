"""docker-compose.yml and the Dockerfile, read as Docker would: pinned, healthy, unprivileged, and true to the code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import ROLES, Settings

ROOT = Path(__file__).parents[2]
_COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
_SERVICES: dict[str, dict[str, Any]] = _COMPOSE["services"]
_DOCKERFILE = (ROOT / "Dockerfile").read_text()
_JOBS = {"topics", "migrate"}
_BY_HAND = {name for name, service in _SERVICES.items() if service.get("profiles")}
_LASTING = set(_SERVICES) - _JOBS - _BY_HAND
_OURS = {name for name, service in _SERVICES.items() if service["image"].startswith("opsloom:")}
_WORKERS = {name for name, service in _SERVICES.items() if service.get("command", [""])[0] == "worker"}
_PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+[\w.-]*")


def _cli() -> Any:
    """The command line as click sees it."""
    import typer

    from cli.main import app

    return typer.main.get_command(app)


def _environment(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in _SERVICES[name].get("environment", {}).items()}


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_images_are_pinned(name: str) -> None:
    """A version with at least two numbers; what is latest today is not what was tested."""
    assert _PINNED.fullmatch(_SERVICES[name]["image"])


def test_our_image_has_the_packages_version() -> None:
    """The tag says what is in it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {_SERVICES[name]["image"] for name in _OURS} == {f"opsloom:{version}"}


@pytest.mark.parametrize("name", sorted(_LASTING))
def test_what_lasts_is_watched_and_comes_back(name: str) -> None:
    """A health check that can fail, a restart policy, a limit on memory."""
    service = _SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "start_period", "retries"} <= set(check)
    assert service["restart"] == "unless-stopped"
    assert "mem_limit" in service


@pytest.mark.parametrize("name", sorted(_JOBS))
def test_jobs_run_once(name: str) -> None:
    """They end; only a failure brings them back."""
    assert _SERVICES[name]["restart"] == "on-failure"
    assert "mem_limit" in _SERVICES[name]


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_each_setting_exists(name: str) -> None:
    """Every OPSLOOM_ variable is a field of the settings, and its value is accepted."""
    given = {key: value for key, value in _environment(name).items() if key.startswith("OPSLOOM_")}
    fields = {key.removeprefix("OPSLOOM_").lower(): value for key, value in given.items()}
    assert set(fields) <= set(Settings.model_fields)
    settings = Settings(**fields)  # type: ignore[arg-type]  # texts, as from the environment
    if name in _OURS:
        assert settings.codec == "avro"


@pytest.mark.parametrize("name", sorted(_OURS))
def test_addresses_are_services_of_this_file(name: str) -> None:
    """A broker or ClickHouse that no service answers for would only be found at run time."""
    environment = _environment(name)
    assert environment["OPSLOOM_BROKER"].split(":")[0] in _SERVICES
    assert re.fullmatch(r"http://(\w+):8123", environment["OPSLOOM_CLICKHOUSE_URL"])[1] in _SERVICES  # type: ignore[index]


def test_no_secret_stands_in_the_files() -> None:
    """Passwords come from .env, which is an example without values here."""
    for name in _SERVICES:
        for key, value in _environment(name).items():
            if "PASSWORD" in key:
                assert value.startswith(("${", "env:")), f"{name}: {key}"
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    example = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
    )
    assert set(example) == asked
    assert not any(example.values())
    for name in _OURS:
        referred = _environment(name)["OPSLOOM_CLICKHOUSE_PASSWORD"].removeprefix("env:")
        assert referred in _environment(name)


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_what_is_mounted_exists(name: str) -> None:
    """Files of this repository read-only; named volumes declared."""
    for volume in _SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        assert target.startswith("/")
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert mode == ["ro"]
        else:
            assert source in _COMPOSE["volumes"]


def test_no_volume_is_left_over() -> None:
    """Each declared volume is used."""
    used = {volume.split(":")[0] for service in _SERVICES.values() for volume in service.get("volumes", [])}
    assert set(_COMPOSE["volumes"]) <= used


@pytest.mark.parametrize("name", sorted(_OURS))
def test_commands_are_real(name: str) -> None:
    """Command and options parse with the very command line that is in the image."""
    service = _SERVICES[name]
    asked = [service.get("command"), service.get("healthcheck", {}).get("test", [])[1:]]
    if "entrypoint" in service:
        asked = [[*service["entrypoint"], "why is it slow?"]]
    for words in filter(None, asked):
        _parse([word for word in words if word != "opsloom"])


def test_the_images_health_check_is_a_real_command() -> None:
    """HEALTHCHECK of the Dockerfile, for those who run it without compose."""
    words = json.loads(re.search(r"HEALTHCHECK .* CMD (\[.*\])", _DOCKERFILE)[1])  # type: ignore[index]
    assert words[0] == "opsloom"
    _parse(words[1:])


def _parse(words: list[str]) -> None:
    """Let click resolve the words, without running anything."""
    command, context, rest = _cli(), None, list(words)
    while hasattr(command, "commands"):
        assert rest, f"{words} names a group, not a command"
        context = command.make_context("opsloom", rest[:1], parent=context, resilient_parsing=True)
        name, rest = rest[0], rest[1:]
        assert name in command.commands, f"there is no command {name!r}"
        command = command.commands[name]
    command.make_context(words[0], rest, parent=context)


def test_every_role_has_a_service_that_may_be_scaled() -> None:
    """No name and no port of its own, and one role each."""
    roles = {_SERVICES[name]["command"][-1] for name in _WORKERS}
    assert roles == set(ROLES) == _WORKERS
    for name in _WORKERS:
        service = _SERVICES[name]
        assert not {"container_name", "hostname", "ports", "network_mode"} & set(service)
        assert "OPSLOOM_WORKER_ID" not in _environment(name), "each copy must have an id of its own"
    assert "OPSLOOM_WORKER_ID=${OPSLOOM_WORKER_ID:-$(hostname)}" in _DOCKERFILE


def test_the_order_of_starting_makes_sense() -> None:
    """Waiting for a job means until it succeeded, for a service until it is healthy; nothing waits in a circle."""
    waits = {name: service.get("depends_on", {}) for name, service in _SERVICES.items()}
    for name, others in waits.items():
        for other, how in others.items():
            expected = "service_completed_successfully" if other in _JOBS else "service_healthy"
            assert how["condition"] == expected, f"{name} waits for {other}"
    assert all(set(waits[name]) == _JOBS for name in _WORKERS)

    def reached(name: str, path: tuple[str, ...] = ()) -> set[str]:
        assert name not in path
        return {name}.union(*(reached(other, (*path, name)) for other in waits[name]))

    assert reached("sink") == {"sink", "topics", "migrate", "kafka", "clickhouse"}


def test_nothing_is_open_to_the_network() -> None:
    """Ports are for programs of this machine."""
    for service in _SERVICES.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_our_containers_have_no_privileges() -> None:
    """Not root, no capabilities, a root file system that nobody writes to."""
    assert re.search(r"^USER 10001:10001$", _DOCKERFILE, re.MULTILINE)
    for name in _OURS:
        service = _SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")


def test_the_image_is_built_from_the_lock() -> None:
    """Pinned base in both stages, versions and hashes of requirements.lock, nothing copied that is not there."""
    bases = re.findall(r"^FROM (\S+)", _DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert _PINNED.fullmatch(bases[0])
    assert "--constraint requirements.lock" in _DOCKERFILE
    assert "--require-hashes" in _DOCKERFILE
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"uv==([\d.]+)", _DOCKERFILE)[1] == re.search(r"UV_PIN\s*:=\s*(\S+)", makefile)[1]  # type: ignore[index]
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", _DOCKERFILE, re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split())


def test_what_the_image_needs_is_not_ignored() -> None:
    """Every folder of the house that exists is let through .dockerignore."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert {name for name in packages if "*" not in name} <= let_in
    assert {"pyproject.toml", "requirements.lock", "README.md", "LICENSE"} <= let_in
