"""Load and check `params.yaml`. A wrong key or value is an error that says what is allowed."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from text_recognizer.core.data_params import NAMED, SHARES
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.params import REMOVED, RENAMED, Params
from text_recognizer.core.sections import Section

PARAMS_FILE = Path("params.yaml")
LINE = 1000  # characters, after which YAML would be wrapped: longer than any
NUMBER_WITH_EXPONENT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+")


class _Loader(yaml.SafeLoader):
    """Read numbers such as 1e-06 as DVC and YAML 1.2 do. PyYAML knows YAML 1.1, where they are text without a dot."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER_WITH_EXPONENT, list("-+.0123456789"))


def load(path: Path = PARAMS_FILE) -> Params:
    """Load and check every section. Raises ConfigError with all problems at once."""
    return _checked(_read(path), path)


def merge_recipe(recipe: Path, path: Path = PARAMS_FILE) -> str:
    """Return the YAML of `path`, comments included, with the values of `recipe` in place of its own.

    Raises ConfigError as `load` does.
    """
    base, changes = _read(path), _read(recipe)
    _checked(base, path)
    _update(base, changes)
    _checked(base, recipe)
    return _edited(path, changes)


def _update(base: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put values in place of those of the same section and name; a section that is not there is added."""
    for name, values in changes.items():
        if isinstance(values, dict) and isinstance(base.get(name), dict):
            base[name].update(values)
        else:
            base[name] = values


def _edited(path: Path, changes: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML

    editor, stream = YAML(), StringIO()
    editor.preserve_quotes, editor.width = True, LINE
    editor.indent(mapping=2, sequence=4, offset=2)
    null = "tag:yaml.org,2002:null"
    editor.representer.add_representer(type(None), lambda writer, _: writer.represent_scalar(null, "null"))
    document = editor.load(path.read_text(encoding="utf-8"))
    _update(document, changes)
    editor.dump(document, stream)
    return stream.getvalue()


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _Loader)
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


def _fields(section: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section_in(annotation: object) -> type[BaseModel] | None:
    """Return the section that a field may hold, or a list of which it holds; None if it holds plain values only."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = get_args(annotation) if get_origin(annotation) in (tuple, Union, UnionType, Annotated) else ()
    return next(filter(None, map(_section_in, inner)), None)


@dataclass(frozen=True)
class _Place:
    """Where a problem is: the innermost section that holds it, and the field there; None if the key is unknown."""

    section: type[BaseModel]
    field: FieldInfo | None
    dotted: str

    @classmethod
    def at(cls, location: tuple[Any, ...]) -> "_Place":
        """Follow a location, whose parts are keys, indices of lists, and the members of unions."""
        section: type[BaseModel] | None = Params
        owner: type[BaseModel] = Params
        field = None
        for part in location:
            if section is None or part == NAMED or (isinstance(part, int) and field):
                continue
            owner, field = section, _fields(section).get(part) if part != SHARES else None
            section = _section_in(field.annotation) if field else section
        return cls(owner, field, ".".join(str(part) for part in location if part not in (NAMED, SHARES)))


def _explain(error: dict[str, Any]) -> str:
    """Describe one problem: the key, its value, what is allowed, and the nearest valid name."""
    place = _Place.at(tuple(error["loc"]))
    dotted = place.dotted
    if error["type"] in ("extra_forbidden", "invalid_key") and place.field is None:
        if dotted in RENAMED:
            return f"{dotted}: this key is now called {RENAMED[dotted]}"
        if dotted in REMOVED:
            return f"{dotted}: this key no longer exists, because {REMOVED[dotted]}; delete it"
        near = difflib.get_close_matches(str(error["loc"][-1]), _names(place.section), n=1, cutoff=0.0)
        return f"{dotted} = {error['input']!r}: unknown key; the nearest valid name is {near[0]!r}"
    if error["type"] == "value_error":
        return f"{dotted}: {error['ctx']['error']}"
    assert place.field is not None
    allowed = _allowed(place.field)
    # In a list that is too short an item is missing, and an item has no name.
    if error["type"] == "missing" and isinstance(error["loc"][-1], str):
        return f"{dotted}: missing; allowed: {allowed}"
    return f"{dotted} = {error['input']!r}: {error['msg']}; allowed: {allowed}"


def _allowed(field: FieldInfo) -> str:
    """Describe the type, the bounds and the meaning of a field."""
    kind = allowed_range(field)
    return kind if kind.startswith("a section") else f"{kind} ({field.description})"


def allowed_range(field: FieldInfo) -> str:
    """Describe the type and the bounds of a field."""
    kind = _kind(field.annotation)
    if kind.startswith("a section"):
        return kind
    bounds = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for attribute, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("multiple_of", "a multiple of"))
        if hasattr(rule, attribute)
    ]
    patterns = [f"matching {rule.pattern}" for rule in field.metadata if getattr(rule, "pattern", None)]
    return " ".join([kind, ", ".join(bounds + patterns)]).strip()


def describe(params: Params) -> str:
    """List every parameter on a line: its name, its value, what is allowed, and what it means."""
    rows = []
    for name, field in Params.model_fields.items():
        section = getattr(params, name)
        for key, rule in type(section).model_fields.items():
            rows.append(f"{field.alias or name}.{key} = {getattr(section, key)!r}: {_allowed(rule)}")
    return "\n".join(rows)


def _kind(annotation: object) -> str:
    """Describe the type of a field."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(map(_as_yaml, get_args(annotation)))
    if get_origin(annotation) is dict:
        return "a table of names and numbers"
    if get_origin(annotation) in (Union, UnionType) and any(map(_section_in, get_args(annotation))):
        return ", or ".join(map(_kind, get_args(annotation)))
    if section := _section_in(annotation):
        kind = "a section with " if section is annotation else "sections with "
        return kind + ", ".join(_names(section))
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _as_yaml(text: str) -> str:
    """Return a text as it must stand in the file: in quotes if it would be read as a number without them."""
    return text if isinstance(yaml.load(text, _Loader), str) else f'"{text}"'
