"""The API, asked at random by its own description: it never fails, and gives nothing without the right to it."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.annotation.cluster import new_postgres
from tests.annotation.server.conftest import four_clips, served

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(
        ["\x00", "\ud800", "../../etc/passwd", "%00", "1e9", "'; DROP TABLE users; --", "AU12", "\U0001d54f" * 50]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
PLAIN = {
    "integer": st.one_of(st.integers(0, 500), st.integers(-(2**65), 2**65)),
    "boolean": st.booleans(),
    "string": st.one_of(
        st.text(max_size=20), st.sampled_from(["AU12", "L-AU4", "x" * 3000, "\x00", "long enough one"])
    ),
    "null": st.none(),
}
EXAMPLES = int(os.environ.get("DFME_API_FUZZ_EXAMPLES", "150"))
SPARED = {("post", "/api/logout"), ("post", "/api/me/password"), ("post", "/api/login")}
"""They end the log-in that the others need, or are braked by design."""


def of_schema(schema: dict[str, Any], parts: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that follow a schema, or nearly."""
    if "$ref" in schema:
        return of_schema(parts[schema["$ref"].rsplit("/", 1)[1]], parts, depth)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([of_schema(one, parts, depth) for one in schema[several]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kind = schema.get("type")
    if kind == "object" and depth < 5:
        fields = {name: of_schema(one, parts, depth + 1) for name, one in schema.get("properties", {}).items()}
        needed = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=fields)
    if kind == "array":
        return st.lists(of_schema(schema.get("items", {}), parts, depth + 1), max_size=3)
    return PLAIN.get(kind, JUNK)


def spoilt(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly right, now and then something else altogether."""
    return st.one_of(values, values, values, JUNK)


@pytest.fixture(params=["sqlite", "postgresql"])
def people(request, study_folder, tmp_path):
    """Everybody's clients: databases differ in what they refuse."""
    url = f"sqlite:///{tmp_path}/annotation.sqlite"
    if request.param == "postgresql":
        url = new_postgres(request.getfixturevalue("postgres"))
    with served(study_folder, url) as people:
        yield people


def test_every_answer_is_one_of_the_documented_ones(people):
    four_clips(people)
    people.open_round("keyframes")
    described = people.app.openapi()
    parts = described["components"]["schemas"]
    calls = [
        (method, path, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if (method, path) not in SPARED
    ]
    assert len(calls) > 20
    seen: set[int] = set()
    own = people.items("ana", 1)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def walk(data: st.DataObject) -> None:
        method, path, operation = data.draw(st.sampled_from(calls))
        who = data.draw(st.sampled_from(["ana", "lena", "stranger"]))
        client = people[who] if who != "stranger" else stranger
        for parameter in (one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"):
            number = st.sampled_from([1, 2, 3, 4, *own, 99_999, 300])
            value = data.draw(
                st.one_of(number, number, st.integers(-(2**65), 2**65), st.text("ab./%\\\x00é", max_size=8))
            )
            path = path.replace("{" + parameter + "}", _quoted(str(value)))
        query = {
            one["name"]: data.draw(spoilt(of_schema(one["schema"], parts)))
            for one in operation.get("parameters", ())
            if one["in"] == "query" and data.draw(st.booleans())
        }
        body = None
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = json.dumps(data.draw(spoilt(of_schema(schema, parts)))).encode("utf-8", "surrogatepass")
        answer = client.request(
            method,
            path,
            params={name: str(value).encode("utf-8", "replace").decode()[:200] for name, value in query.items()},
            content=body,
            headers={"Content-Type": "application/json"} if body else {},
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500, (method, path, body, answer.text)
        if who == "stranger":
            assert answer.status_code in (401, 404, 405, 422), (method, path, answer.status_code)
            assert "P01" not in answer.text
        if who == "ana" and operation.get("tags") == ["leading"]:
            assert answer.status_code in (403, 404, 405, 422), (method, path, answer.status_code)
        if answer.status_code >= 400 and answer.headers["content-type"].startswith("application/json"):
            assert isinstance(answer.json()["detail"], str)

    stranger = people.stranger()
    walk()
    assert {200, 401, 403, 422} <= seen


def test_bodies_that_are_no_json_or_too_large_are_refused(people):
    lead = people["lena"]
    for body in (b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"kind": NaN}'):
        assert lead.post("/api/rounds", content=body).status_code == 422
    assert lead.post("/api/rounds", content=b" " * (5 << 20)).status_code == 413


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="") or "-"
