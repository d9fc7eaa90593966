"""Load and check `params.yaml`. A wrong key or value is an error that says what is allowed."""

import difflib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.params import REMOVED, RENAMED, Params, Section

PARAMS_FILE = Path("params.yaml")


def load(path: Path = PARAMS_FILE) -> Params:
    """Load and check every section. Raises ConfigError with all problems at once."""
    return _checked(_read(path), path)


def merge_recipe(recipe: Path, path: Path = PARAMS_FILE) -> str:
    """Return the YAML of `path` with the values of `recipe` in place of its own. Raises ConfigError as `load` does."""
    base, changes = _read(path), _read(recipe)
    _checked(base, path)
    for name, values in changes.items():
        both = isinstance(values, dict) and isinstance(base.get(name), dict)
        base[name] = {**base[name], **values} if both else values
    _checked(base, recipe)
    return yaml.safe_dump(base, sort_keys=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "run in the folder of the project, or name the file") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "name a readable file") from None
    except (yaml.YAMLError, ValueError) as error:
        # A date such as 2026-02-30 and bytes that are not UTF-8 raise ValueError.
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}", "correct the line it names") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} has no sections", f"it needs: {', '.join(_names(Params))}")
    return raw


def _checked(raw: dict[str, Any], path: Path) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        problems = [_explain(dict(item)) for item in error.errors()]
        raise ConfigError(f"{path}: " + "\n  ".join(problems), "change these values; nothing was run") from None


def _names(section: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


def _section_at(path: tuple[Any, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Params
    for key in path:
        for name, field in section.model_fields.items():
            if key in (name, field.alias) and isinstance(field.annotation, type):
                section = field.annotation
    return section


def _explain(error: dict[str, Any]) -> str:
    """Describe one problem: the key, its value, what is allowed, and the nearest valid name."""
    location = tuple(error["loc"])
    dotted = ".".join(map(str, location))
    section = _section_at(location[:1]) if len(location) > 1 else Params
    key = str(location[:2][-1])
    if error["type"] in ("extra_forbidden", "invalid_key"):
        if dotted in RENAMED:
            return f"{dotted}: this key is now called {RENAMED[dotted]}"
        if dotted in REMOVED:
            return f"{dotted}: this key no longer exists, because {REMOVED[dotted]}; delete it"
        near = difflib.get_close_matches(key, _names(section), n=1, cutoff=0.0)
        return f"{dotted} = {error['input']!r}: unknown key; the nearest valid name is {near[0]!r}"
    if error["type"] == "value_error":
        return f"{dotted}: {error['ctx']['error']}"
    allowed = _allowed({field.alias or name: field for name, field in section.model_fields.items()}[key])
    # In a list that is too short an item is missing, and an item has no name.
    if error["type"] == "missing" and len(location) < 3:
        return f"{dotted}: missing; allowed: {allowed}"
    return f"{dotted} = {error['input']!r}: {error['msg']}; allowed: {allowed}"


def _allowed(field: FieldInfo) -> str:
    """Describe the type, the bounds and the meaning of a field."""
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        kind = "one of " + ", ".join(map(str, get_args(annotation)))
    elif get_origin(annotation) is dict:
        kind = "a table of names and numbers"
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        return "a section with " + ", ".join(_names(annotation))
    else:
        kind = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    bounds = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for attribute, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("multiple_of", "a multiple of"))
        if hasattr(rule, attribute)
    ]
    patterns = [f"matching {rule.pattern}" for rule in field.metadata if getattr(rule, "pattern", None)]
    return f"{' '.join([kind, ', '.join(bounds + patterns)]).strip()} ({field.description})"


def describe(params: Params) -> str:
    """List every parameter on a line: its name, its value, what is allowed, and what it means."""
    rows = []
    for name, field in Params.model_fields.items():
        section = getattr(params, name)
        for key, rule in type(section).model_fields.items():
            rows.append(f"{field.alias or name}.{key} = {getattr(section, key)!r}: {_allowed(rule)}")
    return "\n".join(rows)
