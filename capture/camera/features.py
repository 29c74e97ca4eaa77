"""The features of one camera by name: plain values in, plain values out, and errors that name the feature."""

from __future__ import annotations

import difflib
import math
import re
import time
from collections.abc import Iterable
from typing import Any

from genicam import genapi, gentl

from capture.errors import FeatureError
from capture.settings import FEATURE_KEY, FeatureValue

GENICAM_ERRORS = (genapi.GenericException, gentl.GenericException)
"""What the binding raises, whichever of its two halves noticed."""

COMMAND = "command"
"""The value that executes a command feature."""

FLOAT_TOLERANCE = 0.01
"""Share by which a float may read back differently: cameras round exposure and the like to whole line times."""

_COMMAND_TIMEOUT_S = 5.0
_WHERE_THROWN = re.compile(r"\s*:?\s*\w+Exception thrown.*|\s*\(ID: -\d+\)", re.DOTALL)
_FROM_SOURCE = re.compile(r"GenTL exception: (.*?) ?\(Message from the source: ?(.*?)\)", re.DOTALL)


def reason(error: BaseException) -> str:
    """What a genicam error says, without the C++ place it was thrown at."""
    text = _WHERE_THROWN.sub("", str(error)).strip()
    if found := _FROM_SOURCE.match(text):
        text = found[2] or found[1]
    return text.rstrip(".") or type(error).__name__


class Features:
    """The remote device's feature nodes.

    `was_set` and `was_read` keep, in order, what `apply` asked for and what the camera read back.
    """

    def __init__(self, node_map: Any, camera: str) -> None:
        self._nodes = node_map
        self._camera = camera
        self.was_set: dict[str, FeatureValue] = {}
        self.was_read: dict[str, FeatureValue] = {}

    def release(self) -> None:
        """Let go of the nodes before the camera is closed: touching them later would crash the process."""
        self._nodes = None

    def names(self) -> list[str]:
        """Every feature of the camera."""
        return [name for name in dir(self._nodes) if name[0].isupper()]

    def node(self, name: str) -> Any:
        """The genicam node.

        Raises:
            FeatureError: The camera has no such feature.
        """
        if self._nodes is None:
            raise FeatureError(f"{self._camera} is closed: open it again to use {name}")
        if not self._nodes.has_node(name):
            close = difflib.get_close_matches(name, self.names(), n=2)
            proposal = f", but {' and '.join(close)}" if close else ""
            raise FeatureError(f"{self._camera} has no feature {name}{proposal}: correct the hardware file")
        return self._nodes.get_node(name)

    def exists(self, name: str) -> bool:
        """True where the camera knows the feature, whether or not it can be used now."""
        return self._mode(name) != int(genapi.EAccessMode.NI)

    def readable(self, name: str) -> bool:
        """True where the camera has the feature and it can be read now."""
        return self._mode(name) in (genapi.EAccessMode.RO, genapi.EAccessMode.RW)

    def writable(self, name: str) -> bool:
        """True where the camera has the feature and it can be set now."""
        return self._mode(name) in (genapi.EAccessMode.WO, genapi.EAccessMode.RW)

    def _mode(self, name: str) -> int:
        if self._nodes is None or not self._nodes.has_node(name):
            return int(genapi.EAccessMode.NI)
        try:
            return int(self._nodes.get_node(name).get_access_mode())
        except GENICAM_ERRORS:
            return int(genapi.EAccessMode.NA)

    def first(self, names: Iterable[str]) -> str | None:
        """The first of `names` that can be read: features have changed their names over the years."""
        return next((name for name in names if self.readable(name)), None)

    def read(self, key: str) -> FeatureValue:
        """The value of a feature, as plain Python.

        Raises:
            FeatureError: There is no such feature, it is a command, or it cannot be read.
        """
        name = self._select(key)
        node = self.node(name)
        if isinstance(node, genapi.ICommand):
            raise FeatureError(f"{self._camera}: {name} is a command and has no value")
        try:
            value: FeatureValue = node.value
        except (*GENICAM_ERRORS, AttributeError) as error:
            raise FeatureError(f"{self._camera}: {name} cannot be read ({reason(error)})") from error
        return value

    def number(self, name: str | None) -> float | None:
        """The value of a numeric feature, or None where it cannot be read."""
        if name is None or not self.readable(name):
            return None
        value = self.read(name)
        return float(value) if isinstance(value, int | float) else None

    def limits(self, name: str) -> tuple[float, float]:
        """Smallest and largest value that the camera takes for a numeric feature as things stand."""
        node = self.node(name)
        try:
            return float(node.min), float(node.max)
        except GENICAM_ERRORS as error:
            raise FeatureError(f"{self._camera}: {name} does not tell its limits ({reason(error)})") from error

    def apply(self, key: str, value: FeatureValue, *, tolerance: float = FLOAT_TOLERANCE) -> FeatureValue:
        """Set a feature, read it back and compare.

        Args:
            key: Name of the feature, or `Name[Selector=Entry]`.
            value: `"command"` for a command, else what the feature holds.
            tolerance: Share by which a float may read back differently.

        Returns:
            The value that the camera has now.

        Raises:
            FeatureError: No such feature, the wrong kind of value, refused, or another value came back.
        """
        name = self._select(key)
        node = self.node(name)
        if isinstance(node, genapi.IInteger) and isinstance(value, float) and value.is_integer():
            value = int(value)  # some cameras keep rate and exposure as integers
        if isinstance(node, genapi.ICommand):
            read: FeatureValue = self._execute(name, node, value)
        else:
            self._check_kind(name, node, value)
            self._write(name, node, value)
            read = self.read(name)
            if not _agree(value, read, tolerance):
                raise FeatureError(f"{self._camera}: {key} was set to {value} and reads back as {read}")
        self._remember(key, value, read)
        return read

    def apply_if_there(self, key: str, value: FeatureValue) -> bool:
        """`apply` where the camera lets the feature be set; says whether it did."""
        if not self.writable(_name(key)):
            return False
        self.apply(key, value)
        return True

    def execute_if_there(self, name: str) -> None:
        """Execute a command where the camera lets it be executed; unlike `apply` this leaves no record.

        Raises:
            FeatureError: It failed.
        """
        if self.writable(name):
            self._execute(name, self.node(name), COMMAND)

    def confirm(self) -> None:
        """Read everything again that `apply` has set; a later feature may have moved an earlier one.

        Raises:
            FeatureError: A feature reads differently now; names both values.
        """
        for key, before in self.was_read.items():
            if before == COMMAND or _name(key).endswith("Selector"):
                continue
            now = self.read(key)
            if not _agree(before, now, FLOAT_TOLERANCE):
                raise FeatureError(
                    f"{self._camera}: {key} read {before} when it was set and reads {now} now that everything is set: "
                    "two settings of the hardware file exclude each other"
                )

    def _select(self, key: str) -> str:
        found = FEATURE_KEY.match(key)
        if not found:
            raise FeatureError(f"{key!r} is no feature name: write Gain or Gain[GainSelector=DigitalAll]")
        if found["selector"]:
            self._write(found["selector"], self.node(found["selector"]), found["entry"])
        return found["name"]

    def _execute(self, name: str, node: Any, value: FeatureValue) -> str:
        if value != COMMAND:
            raise FeatureError(f'{self._camera}: {name} is a command: give "{COMMAND}" to execute it, not {value!r}')
        deadline = time.monotonic() + _COMMAND_TIMEOUT_S
        try:
            node.execute()
            while not node.is_done():
                if time.monotonic() > deadline:
                    raise FeatureError(f"{self._camera}: {name} did not finish within {_COMMAND_TIMEOUT_S:g} s")
                time.sleep(0.001)
        except GENICAM_ERRORS as error:
            raise FeatureError(f"{self._camera}: {name} failed ({reason(error)})") from error
        return COMMAND

    def _write(self, name: str, node: Any, value: FeatureValue) -> None:
        if not self.writable(name):
            if self.readable(name) and _agree(value, self.read(name), FLOAT_TOLERANCE):
                return
            held = f", it is {self.read(name)}" if self.readable(name) else ""
            raise FeatureError(f"{self._camera}: {name} cannot be set to {value}: it is not writable now{held}")
        try:
            node.value = float(value) if isinstance(node, genapi.IFloat) else value
        except GENICAM_ERRORS as error:
            raise FeatureError(
                f"{self._camera}: {name} cannot be set to {value}: {self._allowed(node) or reason(error)}"
            ) from error

    def _check_kind(self, name: str, node: Any, value: FeatureValue) -> None:
        for kind, takes, what in (
            (genapi.IBoolean, bool, "true or false"),
            (genapi.IInteger, int, "a whole number"),
            (genapi.IFloat, int | float, "a number"),
            (genapi.IEnumeration, str, "one of its entries"),
            (genapi.IString, str, "a text"),
        ):
            if isinstance(node, kind):
                if not isinstance(value, takes) or (takes is not bool and isinstance(value, bool)):
                    entries = f" ({self._allowed(node)})" if kind is genapi.IEnumeration else ""
                    raise FeatureError(f"{self._camera}: {name} takes {what}{entries}, not {value!r}")
                return
        raise FeatureError(f"{self._camera}: {name} is of a kind that cannot be set from a hardware file")

    @staticmethod
    def _allowed(node: Any) -> str:
        try:
            if isinstance(node, genapi.IEnumeration):
                return f"it takes {', '.join(node.symbolics)}"
            if isinstance(node, genapi.IInteger):
                step = f" in steps of {node.inc}" if node.inc > 1 else ""
                return f"it takes {node.min} to {node.max}{step}"
            if isinstance(node, genapi.IFloat):
                return f"it takes {node.min:g} to {node.max:g}"
        except GENICAM_ERRORS:
            pass
        return ""

    def _remember(self, key: str, value: FeatureValue, read: FeatureValue) -> None:
        # A feature set twice (TriggerMode off, then on) stands where it was set last.
        self.was_set.pop(key, None)
        self.was_read.pop(key, None)
        self.was_set[key] = value
        self.was_read[key] = read


def _name(key: str) -> str:
    return key.partition("[")[0]


def _agree(asked: FeatureValue, read: FeatureValue, tolerance: float) -> bool:
    if isinstance(read, float) and isinstance(asked, int | float):
        return math.isclose(asked, read, rel_tol=tolerance, abs_tol=1e-9)
    return asked == read
