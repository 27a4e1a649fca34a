"""What a template's statement asks for: the names of its parameters, read without parsing the language."""

import re
from collections.abc import Mapping

from registry.assets import Parameter

_SKIPPED = r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|::"
"""Strings, quoted names, comments and casts: a colon or dollar in them names nothing."""

_SQL = re.compile(rf"{_SKIPPED}|:(?P<name>[A-Za-z_][A-Za-z0-9_]*)", re.DOTALL)
_CYPHER = re.compile(rf"{_SKIPPED.replace('--', '//')}|\$(?P<name>[A-Za-z_][A-Za-z0-9_]*)", re.DOTALL)


def names_in_statement(statement: str, kind: str) -> frozenset[str]:
    """Parameter names in a statement: `$name` for tools of kind graph, `:name` for all others."""
    pattern = _CYPHER if kind == "graph" else _SQL
    return frozenset(found["name"] for found in pattern.finditer(statement) if found["name"])


def argument_names(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Each argument a template may get, with the parameter it comes from: a time range becomes two."""
    arguments: dict[str, str] = {}
    for name, parameter in parameters.items():
        if parameter.type == "time_range":
            arguments[f"{name}_from"] = name
            arguments[f"{name}_to"] = name
        else:
            arguments[name] = name
    return arguments
