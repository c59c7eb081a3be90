"""The files of a data set in PASCAL VOC's layout, in a folder or in a zip archive.

An archive is read where it is; nothing is unpacked. Names are relative to the folder that
holds ``JPEGImages``, wherever that is below the source.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Protocol

from data_prep.errors import PrepError
from data_prep.paths import display_path

PHOTOS = "JPEGImages"
LARGEST_FILE = 64 * 2**20  # bytes of one photograph or mask, unpacked
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


class Files(Protocol):
    """What a folder and an archive have in common."""

    shown: str  #: what to call the source in a message

    def stems(self, folder: str, suffix: str) -> set[str]:
        """Return the names in a folder that end in `suffix`, without it."""

    def has(self, name: str) -> bool:
        """Tell whether there is such a file."""

    def read(self, name: str) -> bytes:
        """Return a file's content; PrepError if it is missing, damaged or too large."""

    def digest(self, name: str) -> tuple[int, int]:
        """Return a file's size and the CRC-32 of its content."""


def open_files(source: Path) -> Files:
    """Open a folder or a zip archive.

    Raises
    ------
    PrepError
        If it is neither, holds no ``JPEGImages``, or is an archive that is unsafe to read.
    """
    shown = display_path(source)
    try:
        if source.is_dir():
            return FolderFiles(source)
        if not source.is_file():
            raise PrepError(f"{shown} does not exist; name a folder or zip archive with --source.")
        if not zipfile.is_zipfile(source):
            raise PrepError(f"{shown} is neither a folder nor a zip archive; fetch it again.")
        return ZipFiles(source)
    except OSError as error:
        raise PrepError(f"{shown} cannot be read ({error.strerror}); mend that first.") from error


def fingerprint(files: Files, names: Iterable[str]) -> str:
    """Return a SHA-256 over the names, sizes and CRC-32 of files: the same from any source."""
    digest = sha256()
    for name in sorted(names):
        size, crc = files.digest(name)
        digest.update(f"{name} {size} {crc:08x}\n".encode())
    return digest.hexdigest()


class FolderFiles:
    """The files below a folder."""

    def __init__(self, source: Path):
        self.shown = display_path(source)
        places = [source, *sorted(source.glob("*/")), *sorted(source.glob("*/*/"))]
        for place in places:  # as TinySeg/ in an archive, or VOCdevkit/VOC2012/
            if (place / PHOTOS).is_dir():
                self._root = place
                return
        raise _no_photos(self.shown)

    def stems(self, folder: str, suffix: str) -> set[str]:
        """Return the names in a folder that end in `suffix`, without it."""
        return {path.stem for path in (self._root / folder).glob(f"*{suffix}")}

    def has(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return (self._root / name).is_file()

    def read(self, name: str) -> bytes:
        """Return a file's content; PrepError if it is missing, unreadable or too large."""
        path = self._root / name
        shown = display_path(path)
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise _too_large(shown, path.stat().st_size)
            return path.read_bytes()
        except FileNotFoundError:
            raise PrepError(f"{shown} is missing; put it there.") from None
        except OSError as error:
            raise PrepError(f"{shown} cannot be read ({error.strerror}); mend that.") from error

    def digest(self, name: str) -> tuple[int, int]:
        """Return a file's size and the CRC-32 of its content."""
        content = self.read(name)
        return len(content), zlib.crc32(content)


class ZipFiles:
    """The members of a zip archive, which are checked before any is read."""

    def __init__(self, source: Path):
        self.shown = display_path(source)
        try:
            self._archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            raise PrepError(f"{self.shown} is a damaged archive ({error}); fetch it.") from error
        members = self._archive.infolist()
        for member in members:
            _check_member(member, self.shown)
        roots = {
            m.filename.partition(f"{PHOTOS}/")[0] for m in members if f"{PHOTOS}/" in m.filename
        }
        if not roots:
            raise _no_photos(self.shown)
        root = min(roots, key=len)
        self._members = {
            member.filename.removeprefix(root): member
            for member in members
            if member.filename.startswith(root) and not member.is_dir()
        }

    def stems(self, folder: str, suffix: str) -> set[str]:
        """Return the names in a folder that end in `suffix`, without it."""
        paths = (PurePosixPath(name) for name in self._members)
        return {p.stem for p in paths if p.parent.as_posix() == folder and p.suffix == suffix}

    def has(self, name: str) -> bool:
        """Tell whether there is such a member."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return a member's content; PrepError if it is missing or damaged."""
        try:
            return self._archive.read(self._member(name))
        except DAMAGED as error:
            raise PrepError(
                f"{name} in {self.shown} is damaged ({error}); fetch the archive again."
            ) from error
        except OSError as error:
            raise PrepError(
                f"{self.shown} cannot be read ({error.strerror or error}); mend that first."
            ) from error

    def digest(self, name: str) -> tuple[int, int]:
        """Return a member's size and CRC-32, which the archive lists."""
        member = self._member(name)
        return member.file_size, member.CRC

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise PrepError(f"{name} is missing in {self.shown}; fetch the whole archive.")
        return self._members[name]


def _check_member(member: zipfile.ZipInfo, shown: str) -> None:
    """Refuse a member that would leave the target, is a bomb, or is locked."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        raise PrepError(
            f'{shown} holds "{member.filename}", a path that leads outside the target folder; '
            "do not use this archive, fetch it from where it can be trusted."
        )
    if member.file_size > LARGEST_FILE:
        raise _too_large(f"{member.filename} in {shown}", member.file_size)
    if member.flag_bits & 1:
        raise PrepError(
            f"{member.filename} in {shown} is encrypted; unpack the archive and name the folder."
        )


def _too_large(shown: str, size: int) -> PrepError:
    return PrepError(
        f"{shown} would take {size / 2**20:,.0f} MiB unpacked, more than any photograph "
        f"({LARGEST_FILE >> 20} MiB at most); it may be a decompression bomb: fetch it again "
        "from where it can be trusted."
    )


def _no_photos(shown: str) -> PrepError:
    return PrepError(
        f"{shown} has no folder {PHOTOS}; name the folder or archive that holds "
        f"{PHOTOS}, Annotations and ImageSets with --source."
    )
