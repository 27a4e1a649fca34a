"""Tool assets out of an OpenAPI 3 document: one tool an operation, reading ones unless writing is asked for."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

from agents.execution.guards.url.guard import parsed_url
from agents.execution.guards.verdict import Refuse
from cli.importing.imported import Imported, ImportFailed, one_line, slug
from cli.importing.openapi_schema import followed, plain_schema

READS = ("get", "head")
WRITES = ("post", "put", "patch", "delete")
_MOST_TOOLS = 500
_LARGEST_SCHEMA = 20_000
_HOLE = re.compile(r"\{([^{}]+)\}")


class Operation(NamedTuple):
    """One operation with its path's shared parameters."""

    method: str
    path: str
    spec: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """Its operationId, else its method and path."""
        return str(self.spec.get("operationId") or f"{self.method} {self.path}")


def checked(document: Any) -> Mapping[str, Any]:
    """The document if it is valid OpenAPI 3. Raises `ImportFailed`."""
    version = document.get("openapi") if isinstance(document, Mapping) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise ImportFailed("This is no OpenAPI 3 document.", "Give one whose `openapi:` begins with 3.")
    try:
        from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
    except ImportError as exc:
        raise ImportFailed(
            "Checking an OpenAPI document needs the extra openapi.",
            'Install it: pip install "opsloom[openapi]"',
        ) from exc
    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    try:
        fault = next(iter(validator(document).iter_errors()), None)
    except Exception as exc:  # the checker follows references and raises what it meets there
        raise ImportFailed(f"The document could not be checked: {str(exc)[:200]}.", "Mend it first.") from exc
    if fault is not None:
        where = "/".join(str(part) for part in fault.absolute_path)
        raise ImportFailed(
            f"The document is not valid at {where or 'its root'}: {fault.message[:200]}.", "Mend it."
        )
    sound: Mapping[str, Any] = document
    return sound


def imported_from(
    document: Mapping[str, Any],
    source_id: str,
    *,
    server: str | None = None,
    only: Collection[str] = (),
    allow_writes: bool = False,
) -> Imported:
    """The assets of a document; `only` names tags or operations. Raises `ImportFailed`."""
    made = Imported(_source(document, source_id, server))
    for operation in _operations(document):
        tags = {str(tag) for tag in operation.spec.get("tags") or ()}
        if only and not ({operation.name, *tags} & set(only)):
            continue
        if operation.method in WRITES and not allow_writes:
            made.skipped.append(
                (f"{operation.method.upper()} {operation.path}", "it writes; see --allow-writes")
            )
            continue
        try:
            tool = _tool(document, operation, source_id)
        except _Unfit as unfit:
            made.skipped.append((f"{operation.method.upper()} {operation.path}", str(unfit)))
            continue
        tool["id"] = _free(tool["id"], {each["id"] for each in made.tools})
        made.tools.append(tool)
        if not tool["parameters"].get("required") and operation.method == "get":
            made.templates.append(_template(tool, operation))
        if len(made.tools) > _MOST_TOOLS:
            raise ImportFailed(
                f"The document has more than {_MOST_TOOLS} operations.", "Pick some with --only."
            )
    _credential(document, made)
    if not made.tools:
        raise ImportFailed("No operation was left to import.", "Look at --only and --allow-writes.")
    return made


class _Unfit(ValueError):
    """An operation that cannot become a tool."""


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in (document.get("paths") or {}).items():
        shared = followed(document, item)
        for method in (*READS, *WRITES):
            spec = shared.get(method)
            if isinstance(spec, Mapping):
                own = [followed(document, each) for each in spec.get("parameters") or ()]
                named = {(each.get("in"), each.get("name")) for each in own}
                inherited = [followed(document, each) for each in shared.get("parameters") or ()]
                rest = [each for each in inherited if (each.get("in"), each.get("name")) not in named]
                yield Operation(method, str(path), spec, (*rest, *own))


def _source(document: Mapping[str, Any], source_id: str, server: str | None) -> dict[str, Any]:
    servers = document.get("servers") or [{}]
    first = servers[0] if isinstance(servers[0], Mapping) else {}
    url = str(first.get("url") or "")
    for name, variable in (first.get("variables") or {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    location = urljoin(server, url) if server and not url.startswith("http") else server or url
    if isinstance(parsed_url(location), Refuse):
        raise ImportFailed(
            "The document does not say where the service is.", "Give its address with --server URL."
        )
    info = document.get("info") or {}
    return {
        "id": source_id,
        "description": one_line(info.get("title")),
        "engine": "http",
        "location": location.rstrip("/"),
        "outbound": {"mode": "allowlist"},
    }


def _tool(document: Mapping[str, Any], operation: Operation, source_id: str) -> dict[str, Any]:
    names: dict[str, str] = {}
    properties: dict[str, Any] = {}
    required: list[str] = []
    http: dict[str, Any] = {"method": operation.method.upper(), "path": operation.path}
    for parameter in operation.parameters:
        _take_parameter(document, parameter, http, names, properties, required)
    http["path"] = _HOLE.sub(lambda hole: f"{{{names.get(hole[1], '')}}}", operation.path)
    if "{}" in http["path"]:
        raise _Unfit("its path has a part that no parameter fills")
    _take_body(document, operation, http, properties, required)
    _take_reply(document, operation, http)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    summary = one_line(operation.spec.get("summary") or operation.spec.get("description") or operation.name)
    writes = operation.method in WRITES
    return {
        "id": f"{source_id}.{slug(operation.name)}",
        "name": one_line(operation.spec.get("summary") or operation.name)[:80],
        "description": summary,
        "tool_type": "http_tool",
        "kind": "http",
        "source": source_id,
        "capability_type": "read_write" if writes else "api_call",
        **({"roles": ["admin"]} if writes else {}),
        "parameters": schema,
        "http": http,
    }


def _take_parameter(
    document: Mapping[str, Any],
    parameter: Mapping[str, Any],
    http: dict[str, Any],
    names: dict[str, str],
    properties: dict[str, Any],
    required: list[str],
) -> None:
    place, written = parameter.get("in"), str(parameter.get("name", ""))
    if place not in ("path", "query", "header"):
        if parameter.get("required"):
            raise _Unfit(f"it needs a {place}")
        return
    if place == "header" and written.lower() in ("accept", "content-type", "authorization"):
        return
    name = _free(_identifier(written), set(properties))
    content: Mapping[str, Any] = next(iter((parameter.get("content") or {}).values()), {})
    schema = plain_schema(document, parameter.get("schema") or content.get("schema"))
    if parameter.get("description"):
        schema["description"] = one_line(parameter["description"])
    properties[name] = schema
    must = bool(parameter.get("required")) or place == "path"
    if must:
        required.append(name)
    if place == "path":
        names[written] = name
    elif place == "query":
        http.setdefault("query", {})[written] = f"{{{name}}}"
    elif must:
        http.setdefault("headers", {})[written] = f"{{{name}}}"
    else:
        del properties[name]  # a header cannot be left out of a request by a parameter that was not given


def _take_body(
    document: Mapping[str, Any],
    operation: Operation,
    http: dict[str, Any],
    properties: dict[str, Any],
    required: list[str],
) -> None:
    body = followed(document, operation.spec.get("requestBody"))
    if not body:
        return
    content = body.get("content") or {}
    kind = next((each for each in content if "json" in each), None)
    if kind is None:
        if body.get("required"):
            raise _Unfit("its body is not JSON")
        return
    schema = plain_schema(document, content[kind].get("schema"))
    name = _free("body", set(properties))
    properties[name] = schema
    http["body"] = f"{{{name}}}"
    http.setdefault("headers", {})["Content-Type"] = "application/json"
    if body.get("required"):
        required.append(name)


def _take_reply(document: Mapping[str, Any], operation: Operation, http: dict[str, Any]) -> None:
    replies = operation.spec.get("responses") or {}
    good: Mapping[str, Any] = next(
        (followed(document, replies[code]) for code in sorted(replies) if str(code)[:1] == "2"), {}
    )
    content = good.get("content") or {}
    kind = next((each for each in content if "json" in each), None)
    if kind is None:
        http["response"] = "text" if any(each.startswith("text/") for each in content) else "json"
        return
    schema = plain_schema(document, content[kind].get("schema"))
    lists = [name for name, each in (schema.get("properties") or {}).items() if each.get("type") == "array"]
    if len(lists) == 1:
        http["rows"] = lists[0] if re.fullmatch(r"[A-Za-z_]\w*", lists[0]) else json.dumps(lists[0])
    if schema and len(json.dumps(schema)) <= _LARGEST_SCHEMA:
        http["response_schema"] = schema


def _template(tool: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    words = operation.name.replace("_", " ").replace("-", " ").replace("/", " ")
    spoken = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", words).lower().strip()
    return {
        "id": f"{tool['id']}.ask",
        "title": tool["name"],
        "tool": tool["id"],
        "mode": "config",
        "examples": list(dict.fromkeys(each for each in (tool["description"], spoken) if each)),
        "render": {"show": "table"},
    }


def _credential(document: Mapping[str, Any], made: Imported) -> None:
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    variable = f"{slug(made.source['id']).upper()}_TOKEN"
    for each in schemes.values():
        scheme = followed(document, each)
        kind, word = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        credential: dict[str, Any] = {"secret": f"env:{variable}"}
        if kind == "http" and word in ("bearer", "basic"):
            credential["scheme"] = word.capitalize()
        elif kind in ("oauth2", "openIdConnect"):
            credential["scheme"] = "Bearer"
        elif kind == "apiKey" and scheme.get("in") == "header":
            credential |= {"header": str(scheme.get("name")), "scheme": ""}
        else:
            continue
        made.source["outbound"]["credential"] = credential
        made.notes.append(f"Put the service's credential into {variable}, or name another reference.")
        return
    if schemes:
        made.notes.append(
            "The service asks for a credential in a way that is not supported (query or cookie)."
        )


def _identifier(text: str) -> str:
    plain = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "value"
    return plain if not plain[0].isdigit() else f"_{plain}"


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
