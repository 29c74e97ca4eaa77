"""Files written by hand: what they say, and that every mistake is one line with file, line and key."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from capture.errors import BadInput
from capture.toml_file import parse, read_text


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    kind: str
    """What happens."""
    seconds: int = 1

    @model_validator(mode="after")
    def _rests_are_timed(self):
        if self.kind == "rest" and self.seconds < 5:
            raise ValueError("a rest takes 5 seconds at least")
        return self


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    steps: list[Step] = []
    named: dict[str, int] = {}


def test_a_right_text_becomes_the_model():
    plan = parse('[[steps]]\nkind = "rest"\nseconds = 9\n[named]\na = 2\n', "x.toml", Plan, BadInput)
    assert plan == Plan(steps=[Step(kind="rest", seconds=9)], named={"a": 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[steps]]\nkind = "look"\n[[steps]]\nkind = "rest"\nsecond = 9\n',
            "x.toml, line 5, key steps.1.second is not known: did you mean seconds?",
        ),
        ("[[steps]]\nseconds = 9\n", "x.toml, line 1, key steps.0.kind is missing (What happens)"),
        (
            '[[steps]]\nkind = "look"\n\n[[steps]]\nkind = "rest"\n',
            "x.toml, line 4, key steps.1: a rest takes 5 seconds at least",
        ),
        ("[named]\na = 1\nb = 1.5\n", "x.toml, line 3, key named.b should be a valid integer"),
        ("steps = 3\n", "x.toml, line 1, key steps should be a valid list, not 3"),
        ("[named]\na = 1\na = 2\n", "x.toml, line 3"),
    ],
)
def test_a_mistake_is_told_where_it_stands(text, message):
    with pytest.raises(BadInput) as caught:
        parse(text, "x.toml", Plan, BadInput)
    assert str(caught.value).startswith(message)


def test_a_text_may_have_a_byte_order_mark(tmp_path):
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_text(file, BadInput) == "a = 1\n"
