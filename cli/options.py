"""From options, environment and a running `opsloom up` to settings: the first that says something wins."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.render.errors import fail
from streams.settings import Settings

STATE_FILE = "up.json"


def settings_of(*, discover: bool = True, **options: Any) -> Settings:
    """Settings out of the options that were given (None: not given), OPSLOOM_… variables, a running `opsloom up` of
    the same data folder, and the defaults, in this order. Exits with 2 and a sentence when one is wrong."""
    given = {name: value for name, value in options.items() if value is not None}
    if "data_dir" in given:
        given["data_dir"] = Path(given["data_dir"]).expanduser()
    try:
        settings = Settings(**given)
        if discover:
            found = {
                name: value
                for name, value in running_up(settings.data_dir).items()
                if name not in given and f"OPSLOOM_{name.upper()}" not in os.environ
            }
            settings = Settings(**{**given, **found})
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        fail(
            f"{first.get('input')!r} does not do for {name}: {first['msg']}.",
            f"Set it by its option or by OPSLOOM_{name.upper()}.",
            exit_code=2,
        )
    return settings


def running_up(data_dir: Path) -> dict[str, Any]:
    """Addresses of the `opsloom up` that runs over this folder; empty when none does."""
    try:
        state = json.loads((data_dir / STATE_FILE).read_text())
        os.kill(int(state["pids"]["up"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {
        "broker": state.get("broker"),
        "clickhouse_url": state.get("clickhouse"),
        "topic_prefix": state.get("topic_prefix"),
        "packs": state.get("packs"),
    }
    return {name: value for name, value in found.items() if value}
