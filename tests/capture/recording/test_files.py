"""Files that are there whole or not at all, and documents that any reader of JSON takes."""

from __future__ import annotations

import errno
import gc
import json
import os

import pytest

from capture.recording.files import open_regular, read_document, write_whole
from capture.recording.layout import write_json


def test_documents_leave_nothing_for_the_garbage_collector(tmp_path):
    """It rests in the recorder, which writes some for every shard."""
    content = {"a": [1, 2.5, {"b": None}], "c": "text"}
    write_json(tmp_path / "a.json", content)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            write_json(tmp_path / "a.json", content)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert json.loads((tmp_path / "a.json").read_text()) == content


def test_what_cannot_be_written_leaves_the_old_content_and_nothing_else(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_only_regular_files_of_some_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)
    (tmp_path / "long").write_bytes(b"12345")
    assert read_document(tmp_path / "long", 5) == b"12345"
    with pytest.raises(OSError, match="longer") as refused:
        read_document(tmp_path / "long", 4)
    assert refused.value.errno == errno.EFBIG
