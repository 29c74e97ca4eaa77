"""Addresses of the storage machine: what is accepted, and which of them leave this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Self

from capture.errors import BadInput

_SHAPE = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")
_PROBE_S = 2.0


@dataclass(frozen=True)
class Endpoint:
    """A TCP address as ZeroMQ takes it."""

    host: str
    """A name, an address, or `*` for all of this machine's (to listen on)."""
    port: int

    @classmethod
    def parse(cls, text: str, option: str) -> Self:
        """The address `tcp://HOST:PORT` in `text`, which stood behind `option`.

        Raises:
            BadInput: It is none.
        """
        found = _SHAPE.fullmatch(text)
        port = int(found["port"]) if found else 0
        if found is None or not 0 < port < 65_536:
            raise BadInput(f"{option} {text}: write tcp://HOST:PORT, such as tcp://10.0.0.2:5599")
        return cls(found["host"].strip("[]"), port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there cannot leave this machine; a name that is not `localhost` could."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def why_closed(self) -> str:
        """Try a plain connection; what went wrong with it, or nothing when something answers."""
        try:
            socket.create_connection((self.host, self.port), _PROBE_S).close()
        except TimeoutError:
            return "the machine does not react: is it on, is the address right, does a firewall drop the port?"
        except ConnectionRefusedError:
            return "nothing listens on that port: is dfme-record running there?"
        except OSError as error:
            return f"{(error.strerror or str(error)).lower()}: check the address and the cable"
        return ""
