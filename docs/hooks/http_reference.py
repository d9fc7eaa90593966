"""The HTTP interface, from the description that the service gives of itself in /openapi.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_text import table

from text_recognizer.serving.app import create_app
from text_recognizer.serving.problems import MEDIA_TYPE

Described = Mapping[str, Any]
USUAL = "Successful Response"  # FastAPI's text for an answer that has no other


def http(_: Path) -> str:
    """Return a section for each request, and one for each record of the answers."""
    api = create_app().openapi()
    requests = [
        _request(f"{method.upper()} {path}", operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]
    records = [_record(name, schema) for name, schema in sorted(api["components"]["schemas"].items())]
    return "\n\n".join(["## Requests", *requests, "## Records", *records])


def _request(name: str, operation: Described) -> str:
    parameters = (
        (f"`{one['name']}`", one["in"], _kind(one["schema"]), one.get("description", ""))
        for one in operation.get("parameters", ())
    )
    answers = (
        (status, answer["description"].replace(USUAL, "done"), _content(answer))
        for status, answer in operation["responses"].items()
    )
    body = _content(operation.get("requestBody", {}))
    parts = [
        f"### {name}",
        operation.get("description", ""),
        table(("parameter", "where", "type", "meaning"), parameters),
        body and f"The body: {body}.",
        table(("status", "meaning", "content"), answers),
    ]
    return "\n\n".join(filter(None, parts))


def _content(described: Described) -> str:
    """Return the media types of a body or an answer, each with what it holds."""
    kinds = [
        (media, _kind(content.get("schema", {})))
        for media, content in described.get("content", {}).items()
        if media != MEDIA_TYPE  # every refusal has it, as the page says above
    ]
    return ", ".join(f"`{media}` ({kind})" if kind else f"`{media}`" for media, kind in kinds)


def _record(name: str, schema: Described) -> str:
    required = schema.get("required", ())
    fields = (
        (f"`{key}`", _kind(field), "" if key in required else "may be missing", field.get("description", ""))
        for key, field in schema.get("properties", {}).items()
    )
    parts = [f"### {name}", schema.get("description", ""), table(("field", "type", "", "meaning"), fields)]
    return "\n\n".join(filter(None, parts))


def _kind(schema: Described) -> str:
    """Describe the type of a value; a record as a link to its section."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(one) for one in alternatives)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return f"list of {', '.join(map(_kind, items))}"
    return str(schema.get("format") or schema.get("type") or "")
