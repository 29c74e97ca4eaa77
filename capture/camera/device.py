"""Opens one GenTL device through harvesters, and closes all of it again; the camera process alone imports this."""

from __future__ import annotations

import ctypes
import logging
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genicam import gentl
from harvesters.core import Harvester, ParameterKey, ParameterSet

from capture.camera.features import GENICAM_ERRORS, reason
from capture.camera.producers import find_producers, is_simulated
from capture.errors import CameraBusy, CameraLost, CameraNotFound
from capture.settings import HardwareSettings

_IN_USE = (gentl.ResourceInUseException, gentl.AccessDeniedException, gentl.BusyException)


@dataclass(frozen=True)
class DeviceIdentity:
    """Who a camera is, in its producer's words."""

    vendor: str
    model: str
    serial_number: str
    user_defined_name: str
    tl_type: str
    version: str
    producer: str
    """File name of the producer."""

    def __str__(self) -> str:
        parts = (self.vendor, self.model, self.serial_number and f"serial number {self.serial_number}")
        name = f' "{self.user_defined_name}"' if self.user_defined_name not in ("", self.serial_number) else ""
        return " ".join(part for part in parts if part) + name


@dataclass(frozen=True)
class OpenDevice:
    """A device that is ours until `stack` is closed."""

    identity: DeviceIdentity
    simulated: bool
    acquirer: Any
    """harvesters' ImageAcquirer."""
    stack: ExitStack
    notes: tuple[str, ...]


def open_device(settings: HardwareSettings) -> OpenDevice:
    """Load the producers that the settings name and open the one camera they mean.

    Raises:
        CameraNotFound: No producer, or no camera that matches; names what was found instead.
        CameraBusy: The camera is open elsewhere.
        CameraLost: The camera is listed and does not answer.
    """
    producers = find_producers(settings.producer)
    complaints = _Complaints()
    with ExitStack() as stack:
        harvester = stack.enter_context(Harvester(config=ParameterSet({ParameterKey.LOGGER: _logger(complaints)})))
        for producer in producers:
            _check_loadable(producer, alone=len(producers) == 1)
            harvester.add_file(str(producer))
        harvester.update()
        found = [(_identity(info), info) for info in harvester.device_info_list]
        matching = [pair for pair in found if _matches(pair[0], settings.selection.asked())]
        if not found and complaints.in_use:
            through = ", ".join(producer.name for producer in producers)
            raise CameraBusy(f"the GenTL producer {through} is in use: close the camera that was opened through it")
        if not matching:
            raise CameraNotFound(_nothing_found(settings, producers, [identity for identity, _ in found], complaints))
        identity, info = matching[0]
        # The simulated cameras are alike, so that it does not matter which one is used.
        ambiguous = len(matching) > 1 and settings.producer != "simulator"
        notes = (f"{len(matching)} cameras match, the first is used: {identity}",) if ambiguous else ()
        acquirer = stack.enter_context(_acquirer(harvester, info, identity, [other for other, _ in found]))
        simulated = is_simulated(Path(identity.producer))
        return OpenDevice(identity, simulated, acquirer, stack.pop_all(), notes)
    raise AssertionError("unreachable")  # ExitStack is typed as one that may swallow errors; this one does not


def _acquirer(harvester: Any, info: Any, identity: DeviceIdentity, found: list[DeviceIdentity]) -> Any:
    config = ParameterSet({ParameterKey.ENABLE_AUTO_CHUNK_DATA_UPDATE: False})
    try:
        with _own_interrupt_handler():
            acquirer = harvester.create(info, config=config)
    except _IN_USE as error:
        others = [str(other) for other in found if other != identity]
        remedy = f", or choose another one: {'; '.join(others)}" if others else ""
        raise CameraBusy(f"{identity} is in use: close the program that holds it{remedy}") from error
    except (*GENICAM_ERRORS, AssertionError, AttributeError) as error:
        raise CameraLost(f"{identity} cannot be opened ({reason(error)}): check its power and its cables") from error
    if not acquirer.data_streams:
        raise CameraLost(f"{identity} offers no data stream: its producer {identity.producer} cannot record from it")
    return acquirer


@contextmanager
def _own_interrupt_handler() -> Iterator[None]:
    # harvesters takes Ctrl-C over and destroys the acquirer in the handler, under the feet of whoever fetches.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Complaints(logging.Handler):
    """Keeps what harvesters only logs: why a producer would not open."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.in_use = False

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(reason(error) if error else record.getMessage())
        self.in_use = self.in_use or isinstance(error, _IN_USE)


def _logger(handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger("capture.harvesters")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [handler]
    return logger


def _check_loadable(producer: Path, *, alone: bool) -> None:
    if not alone:
        return  # among many, one that does not load is the business of whoever installed it
    try:
        ctypes.CDLL(str(producer))
    except OSError as error:
        raise CameraNotFound(f"the GenTL producer {producer} does not load: {error}") from error


def _identity(info: Any) -> DeviceIdentity:
    properties: Mapping[str, Any] = info.property_dict

    def told(name: str) -> str:
        return str(properties.get(name) or "").strip()

    return DeviceIdentity(
        vendor=told("vendor"),
        model=told("model"),
        serial_number=told("serial_number"),
        user_defined_name=told("user_defined_name"),
        tl_type=told("tl_type"),
        version=told("version"),
        producer=Path(info.parent.parent.parent.path_name).name,
    )


def _matches(identity: DeviceIdentity, asked: Mapping[str, str]) -> bool:
    return all(getattr(identity, name) == value for name, value in asked.items())


def _nothing_found(
    settings: HardwareSettings, producers: list[Path], found: list[DeviceIdentity], complaints: _Complaints
) -> str:
    through = ", ".join(producer.name for producer in producers)
    if found:
        asked = ", ".join(f"{name} {value!r}" for name, value in settings.selection.asked().items())
        return f"no camera with {asked} through {through}: there is {'; '.join(map(str, found))}"
    why = f" ({complaints.lines[-1]})" if complaints.lines else ""
    return f"no camera found through {through}{why}: check its power, its cables and its maker's viewer"
