"""Key files: one a machine, made by `dfme-record keys`, with which both sides know each other and encrypt."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import zmq

from capture.errors import BadInput, FolderUnusable
from capture.remote.address import Endpoint

STORAGE_FILE = "storage.keys"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_KEY = r"^[0-9a-zA-Z.:+=^!/*?&<>()\[\]{}@%$#-]{40}$"


class _Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    public: str
    secret: str


class _NamedPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    public: str
    secret: str


class _Public(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    public: str


class StorageKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The storage machine's key file: its own pair, and the public keys of those whom it lets in."""

    storage: _Pair
    clients: dict[str, str]
    """Name of a capture machine: its public key (Z85)."""

    def name_of(self, public: str) -> str | None:
        """The capture machine that has this public key, if it may come in."""
        return next((name for name, key in self.clients.items() if key == public), None)


class CaptureKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A capture machine's key file: its own pair, and the public key by which it knows the storage machine."""

    capture: _NamedPair
    storage: _Public


@dataclass(frozen=True)
class MadeKeys:
    """What `make_keys` wrote."""

    storage: Path
    capture: Path
    added: bool
    """The storage machine had a key file already, and knows one more capture machine now."""


File = TypeVar("File", StorageKeys, CaptureKeys)


def make_keys(folder: Path, name: str = "capture") -> MadeKeys:
    """Make the key files of a storage machine and of one capture machine called `name`.

    Where `folder` has a storage machine's key file, the capture machine is added to it.

    Raises:
        BadInput: The name cannot be used, or that capture machine has its keys already.
        FolderUnusable: The files cannot be written.
    """
    if not _NAME.fullmatch(name) or name == "storage":
        raise BadInput(f"--client {name}: use letters, digits, - and _, at most 40, and not `storage`")
    storage_file, capture_file = folder / STORAGE_FILE, folder / f"{name}.keys"
    added = storage_file.exists()
    if added:
        keys = load_storage_keys(storage_file)
        if name in keys.clients:
            raise BadInput(f"{storage_file} knows a capture machine {name!r} already: choose another --client name")
    else:
        keys = StorageKeys(_Pair(*_new_pair()), {})
    if capture_file.exists():
        raise BadInput(f"{capture_file} exists already: keys are never written over; choose another --client name")
    public, secret = _new_pair()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_secret(
            capture_file, _capture_text(CaptureKeys(_NamedPair(name, public, secret), _Public(keys.storage.public)))
        )
        _write_secret(storage_file, _storage_text(StorageKeys(keys.storage, {**keys.clients, name: public})))
    except OSError as error:
        raise FolderUnusable(f"cannot write keys to {folder} ({error.strerror}): choose another with --out") from error
    return MadeKeys(storage_file, capture_file, added)


def require_keys(endpoint: Endpoint, keys: Path | None) -> None:
    """Make sure that what leaves this machine is encrypted and goes to those only who are known.

    Raises:
        BadInput: It would not be.
    """
    if keys is None and not endpoint.is_loopback:
        raise BadInput(
            f"{endpoint} is beyond this machine, and frames travel there only encrypted: give --keys FILE "
            "(`dfme-record keys --out FOLDER` makes one for each side)"
        )


def load_storage_keys(path: Path) -> StorageKeys:
    """The storage machine's key file.

    Raises:
        BadInput: It cannot be read, can be read by others, or is something else.
    """
    return _load(path, StorageKeys)


def load_capture_keys(path: Path) -> CaptureKeys:
    """A capture machine's key file.

    Raises:
        BadInput: It cannot be read, can be read by others, or is something else.
    """
    return _load(path, CaptureKeys)


def _load(path: Path, kind: type[File]) -> File:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = tomllib.load(file)
    except OSError as error:
        raise BadInput(
            f"cannot read the key file {path} ({error.strerror}): make one with `dfme-record keys --out FOLDER`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadInput(f"{path} is not a key file: make one with `dfme-record keys --out FOLDER`") from None
    if mode & 0o077:
        raise BadInput(f"{path} can be read by others: `chmod 600 {path}`")
    if kind is StorageKeys and "capture" in content:
        raise BadInput(f"{path} is the key file of a capture machine: dfme-record takes {STORAGE_FILE}")
    if kind is CaptureKeys and "clients" in content:
        raise BadInput(f"{path} is the key file of the storage machine: dfme-capture takes the other one")
    try:
        keys = msgspec.convert(content, kind)
        for key in _keys_in(content):
            if not re.fullmatch(_KEY, key):
                raise ValueError("a key has 40 characters")
        _check_pair(content)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInput(f"{path} is damaged ({error}): make keys anew with `dfme-record keys`") from None
    return keys


def _keys_in(content: dict[str, Any]) -> list[str]:
    """All keys of a key file that has the right shape."""
    pairs = [content[table] for table in ("storage", "capture") if table in content]
    keys = [pair[name] for pair in pairs for name in ("public", "secret") if name in pair]
    return [*keys, *content.get("clients", {}).values()]


def _check_pair(content: dict[str, Any]) -> None:
    for table in ("storage", "capture"):
        pair = content.get(table, {})
        if "secret" in pair and zmq.curve_public(pair["secret"].encode()).decode() != pair["public"]:
            raise ValueError(f"the two keys of [{table}] do not belong together")


def _new_pair() -> tuple[str, str]:
    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    fd = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    partial.replace(path)


def _storage_text(keys: StorageKeys) -> str:
    clients = "".join(f'{name} = "{public}"\n' for name, public in keys.clients.items())
    return (
        "# The storage machine's keys. Stays on that machine: whoever has the secret can pose as it.\n"
        f'[storage]\npublic = "{keys.storage.public}"\nsecret = "{keys.storage.secret}"\n\n'
        "# Capture machines that are let in. Take a line out to shut one out; that needs no restart.\n"
        f"[clients]\n{clients}"
    )


def _capture_text(keys: CaptureKeys) -> str:
    own = keys.capture
    return (
        "# A capture machine's keys. Move this file there: whoever has the secret can send recordings.\n"
        f'[capture]\nname = "{own.name}"\npublic = "{own.public}"\nsecret = "{own.secret}"\n\n'
        "# By this the storage machine is known.\n"
        f'[storage]\npublic = "{keys.storage.public}"\n'
    )
