"""A call's parameters, and a service's replies, against a declared JSON schema."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator

_MOST_FAULTS = 5
_LONGEST = 160


class UnfitSchema(ValueError):
    """The schema itself is none."""


def faults_against(schema: Mapping[str, Any], document: Any) -> tuple[str, ...]:
    """What of the document does not fit the schema, at most five faults, each as place and rule. The document's own
    values are not repeated. References lead nowhere outside the schema. Raises `UnfitSchema`."""
    validator = _validator(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
    faults = []
    for error in validator.iter_errors(document):
        faults.append(_words(error))
        if len(faults) >= _MOST_FAULTS:
            break
    return tuple(faults)


def with_defaults(schema: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, and the schema's defaults for what was not given."""
    declared = schema.get("properties")
    if not isinstance(declared, Mapping):
        return dict(params)
    missing = {
        name: each["default"]
        for name, each in declared.items()
        if isinstance(each, Mapping) and "default" in each and name not in params
    }
    return {**params, **missing}


@lru_cache(maxsize=512)
def _validator(written: bytes) -> Validator:
    from referencing import Registry  # an empty one: a schema fetches nothing from a network or a disk

    schema = orjson.loads(written)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise UnfitSchema(f"not a JSON schema: {error.message[:_LONGEST]}") from error
    return Draft202012Validator(schema, registry=Registry())


def _words(error: ValidationError) -> str:
    place = ".".join(str(part)[:40] for part in list(error.absolute_path)[:8])
    rule = str(error.validator)
    wanted = error.validator_value
    if rule in ("type", "minimum", "maximum", "minLength", "maxLength", "maxItems", "minItems", "format"):
        text = f"must be of {rule} {wanted}"
    elif rule == "required":
        names = wanted if isinstance(wanted, list) else []
        missing = [name for name in names if isinstance(error.instance, dict) and name not in error.instance]
        text = f"lacks {', '.join(str(each) for each in missing[:5])}"
    elif rule == "enum":
        text = "is none of the known values"
    elif rule == "additionalProperties":
        text = "has a name that is not declared"
    else:
        text = f"does not fit its {rule}"
    return f"{place} {text}"[:_LONGEST].strip()
