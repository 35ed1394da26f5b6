"""
Storage: a local folder or an S3-compatible bucket, by URL.

A file appears under its name whole or not at all: a bucket does that by itself, a local folder by
a rename. Nothing else is asked of a bucket: no renames, no locks, no conditional writes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK: Final = 4 << 20


class StorageError(ValueError):
    """An address that names no folder or bucket."""


class Storage:
    """
    Files under one address.

    Parameters
    ----------
    url
        A path, `file:///path`, or `s3://bucket/prefix`, which takes Arrow's options, such as
        `?endpoint_override=host:9000&scheme=http&region=cn-north-1`. The keys of a bucket come
        from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, never from the address.

    Raises
    ------
    StorageError
        The address has another form, or holds a key.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.username or parts.password or "secret_key" in parts.query:
            raise StorageError(
                "the address holds a key; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
            )
        if "://" not in url:
            self._files, root = fs.LocalFileSystem(), str(Path(url).expanduser().resolve())
        elif parts.scheme not in ("file", "s3"):
            raise StorageError(f"{url}: use a path, file:// or s3://bucket/prefix")
        else:
            try:
                self._files, root = fs.FileSystem.from_uri(url)
            except pa.ArrowInvalid as error:
                raise StorageError(f"{url}: {error}") from None
        self.url = url
        self._root = root.rstrip("/")
        self.folder = Path(self._root) if isinstance(self._files, fs.LocalFileSystem) else None
        """The local folder; None for a bucket."""

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Path to size in bytes of every file below a folder; nothing where it is not there."""
        base = f"{self._root}/{folder}".rstrip("/")
        found = self._files.get_file_info(
            fs.FileSelector(base, recursive=True, allow_not_found=True)
        )
        return {
            info.path.removeprefix(f"{self._root}/"): int(info.size)
            for info in found
            if info.type == fs.FileType.File and not info.base_name.endswith("~")
        }

    def put(self, path: str, source: Path, *, sha256: str | None = None) -> str:
        """
        Copy a file here.

        Parameters
        ----------
        sha256
            What the file must have; otherwise nothing stays here.

        Returns
        -------
        sha256

        Raises
        ------
        StorageError
            The file has another hash.
        OSError
            The file cannot be read, or this storage does not take it.
        """
        with source.open("rb") as stream:
            found = self._write(path, iter(lambda: stream.read(_BLOCK), b""), sha256)
        if found != (sha256 or found):
            raise StorageError(f"{source} is damaged (sha256 differs)")
        return found

    def put_text(self, path: str, text: str) -> None:
        """Write a text file, in place of the one that is there."""
        self._write(path, iter([text.encode()]), None)

    def read_text(self, path: str) -> str:
        """
        Read a text file.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        return b"".join(self._read(path)).decode()

    def fetch(self, path: str, target: Path) -> str:
        """
        Copy a file from here, flushed to disk.

        Returns
        -------
        sha256
            Of what was written.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with target.open("wb") as stream:
            for block in self._read(path):
                digest.update(block)
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        return digest.hexdigest()

    def sha256(self, path: str) -> str:
        """
        SHA-256 of a stored file.

        Raises
        ------
        FileNotFoundError
            It is not there.
        """
        digest = hashlib.sha256()
        for block in self._read(path):
            digest.update(block)
        return digest.hexdigest()

    def delete(self, path: str) -> None:
        """Delete a file."""
        self._files.delete_file(f"{self._root}/{path}")

    def _read(self, path: str) -> Iterator[bytes]:
        with self._files.open_input_stream(f"{self._root}/{path}", buffer_size=0) as stream:
            while block := stream.read(_BLOCK):
                yield block

    def _write(self, path: str, blocks: Iterator[bytes], sha256: str | None) -> str:
        """Write blocks; the file is there when all are written and have the hash."""
        name = f"{self._root}/{path}"
        waiting = f"{name}.{os.getpid()}~" if self.folder else name
        if self.folder:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        is_whole = False
        try:
            stream: Any = self._files.open_output_stream(waiting)
            with stream:
                for block in blocks:
                    digest.update(block)
                    stream.write(block)
            is_whole = digest.hexdigest() == (sha256 or digest.hexdigest())
        finally:
            # A stream to a bucket that is closed after a fault would leave a part of the file.
            if not is_whole and self._files.get_file_info(waiting).type == fs.FileType.File:
                self._files.delete_file(waiting)
        if is_whole and self.folder:
            sync(Path(waiting))
            Path(waiting).replace(name)
            sync(Path(name).parent)
        return digest.hexdigest()


def is_below(path: str) -> bool:
    """Whether a stored path stays below the folder that it is meant for."""
    parts = PurePosixPath(path)
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts
