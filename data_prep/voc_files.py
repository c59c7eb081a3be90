"""The files of a data set in PASCAL VOC's layout, in a folder or in a zip archive.

An archive is read where it is; nothing is unpacked. Names are relative to the root, the folder
that holds ``JPEGImages``, wherever that is below the source. They end in small letters, ``.jpg``
for a photograph, whatever stands there; what begins with a dot is passed over.
"""

import zipfile
import zlib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from data_prep.errors import PrepError
from data_prep.files import LARGEST_FILE, explained_reads, read_bytes, too_large
from data_prep.paths import display_path

PHOTOS = "JPEGImages"
FOREIGN = "__MACOSX"  # where macOS keeps a shadow of each file of an archive


class Files:
    """What a folder and an archive have in common.

    Attributes
    ----------
    shown : str
        What to call the source in a message.
    root : str
        The root, as a path below the source: "." where it is the source itself.
    """

    def __init__(self, source: Path, roots: Iterable[str], way: str):
        self.shown = display_path(source)
        found = sorted(roots)
        if not found:
            raise PrepError(
                f"{self.shown} has no folder {PHOTOS}; name the folder or archive that holds "
                f"{PHOTOS}, Annotations and ImageSets with --source."
            )
        if len(found) > 1:
            raise PrepError(
                f"{self.shown} holds {len(found)} data sets, {' and '.join(found)}; {way} the one "
                "you mean with --source."
            )
        self.root = found[0]
        self._folders: dict[str, dict[str, Any]] = {}

    def names(self, folder: str) -> dict[str, Any]:
        """Return the files of a folder: what each is called, and what `_read` knows it by."""
        if folder not in self._folders:
            found = {}
            for name, entry in self._listed(folder):
                if name.startswith("."):  # as ._00000.jpg, which macOS leaves behind
                    continue
                suffix = PurePosixPath(name).suffix
                plain = name.removesuffix(suffix) + suffix.lower().replace("jpeg", "jpg")
                if plain in found:
                    raise PrepError(
                        f"{self.shown} holds {folder}/{plain} twice; remove one of the two."
                    )
                found[plain] = entry
            self._folders[folder] = found  # whole: several threads may look
        return self._folders[folder]

    def stems(self, folder: str, suffix: str) -> set[str]:
        """Return the names in a folder that end in `suffix`, without it."""
        return {n.removesuffix(suffix) for n in self.names(folder) if n.endswith(suffix)}

    def has(self, name: str) -> bool:
        """Tell whether there is such a file."""
        folder, _, last = name.rpartition("/")
        return last in self.names(folder)

    def read(self, name: str) -> bytes:
        """Return a file's content; PrepError if it is missing, damaged or too large."""
        return self._read(name, self._found(name))

    def digest(self, name: str) -> tuple[int, int]:
        """Return a file's size and the CRC-32 of its content."""
        content = self.read(name)
        return len(content), zlib.crc32(content)

    def _found(self, name: str) -> Any:
        if not self.has(name):
            raise PrepError(f"{name} is missing in {self.shown}; put it there, or fetch the whole.")
        folder, _, last = name.rpartition("/")
        return self.names(folder)[last]

    def _listed(self, folder: str) -> Iterable[tuple[str, Any]]:
        raise NotImplementedError

    def _read(self, name: str, entry: Any) -> bytes:
        raise NotImplementedError


class FolderFiles(Files):
    """The files below a folder."""

    def __init__(self, source: Path, root: str | None = None):
        self._source = source
        super().__init__(source, [root] if root else self._roots(), "name")

    def _roots(self) -> Iterable[str]:
        """Find the root: the folder itself, or those below it, down to VOCdevkit/VOC2012."""
        if (self._source / PHOTOS).is_dir():
            return ["."]
        above = self._source.absolute().parent
        if (above / PHOTOS).is_dir():
            raise PrepError(
                f"{display_path(self._source)} is a part of a data set; name the whole, "
                f"{display_path(above)}, with --source."
            )
        below = [*self._source.glob(f"*/{PHOTOS}"), *self._source.glob(f"*/*/{PHOTOS}")]
        roots = [path.parent.relative_to(self._source) for path in below if path.is_dir()]
        return [root.as_posix() for root in roots if root.parts[0] != FOREIGN]

    def _listed(self, folder: str) -> Iterable[tuple[str, Path]]:
        path = self._source / self.root / folder
        with explained_reads(display_path(path)):
            return [(p.name, p) for p in path.iterdir()] if path.is_dir() else []

    def _read(self, name: str, entry: Path) -> bytes:
        return read_bytes(entry, "put it there")


class ZipFiles(Files):
    """The members of a zip archive, which are checked before any is read."""

    def __init__(self, source: Path, root: str | None = None):
        shown = display_path(source)
        try:
            self._archive = zipfile.ZipFile(source)
        except OSError:
            raise
        except Exception as error:  # of as many kinds as there are ways to be damaged
            raise PrepError(f"{shown} is a damaged archive ({error}); fetch it again.") from error
        self._members: dict[PurePosixPath, list[tuple[str, zipfile.ZipInfo]]] = {}
        for member in self._archive.infolist():
            path = _checked_path(member, shown)
            if FOREIGN not in path.parts and not member.is_dir():
                self._members.setdefault(path.parent, []).append((path.name, member))
        roots = [path.parent.as_posix() for path in self._members if path.name == PHOTOS]
        super().__init__(source, [root] if root else roots, "unpack it and name")

    def digest(self, name: str) -> tuple[int, int]:
        """Return a member's size and CRC-32, which the archive lists."""
        member = self._found(name)
        return member.file_size, member.CRC

    def _listed(self, folder: str) -> Iterable[tuple[str, zipfile.ZipInfo]]:
        return self._members.get(PurePosixPath(self.root, folder), [])

    def _read(self, name: str, entry: zipfile.ZipInfo) -> bytes:
        try:
            return self._archive.read(entry)
        except MemoryError:
            raise
        except Exception as error:  # of as many kinds as there are ways to be damaged
            raise PrepError(
                f"{name} in {self.shown} is damaged ({error}); fetch the archive again."
            ) from error


def open_files(source: Path, root: str | None = None) -> Files:
    """Open a folder or a zip archive.

    Parameters
    ----------
    source : Path
        What the user named.
    root : str, optional
        `Files.root`, where it was found before.

    Raises
    ------
    PrepError
        If it is neither, does not hold ``JPEGImages`` in one place, or is an archive that is
        unsafe to read.
    """
    shown = display_path(source)
    with explained_reads(shown):
        if source.is_dir():
            return FolderFiles(source, root)
        if not source.exists():
            raise PrepError(f"{shown} does not exist; name a folder or zip archive with --source.")
        if not (source.is_file() and zipfile.is_zipfile(source)):
            raise PrepError(f"{shown} is neither a folder nor a zip archive; fetch it again.")
        return ZipFiles(source, root)


def fingerprint(files: Files, names: Iterable[str]) -> str:
    """Return a SHA-256 over the names, sizes and CRC-32 of files: the same from any source."""
    digest = sha256()
    for name in sorted(names):
        size, crc = files.digest(name)
        digest.update(f"{name} {size} {crc:08x}\n".encode())
    return digest.hexdigest()


def _checked_path(member: zipfile.ZipInfo, shown: str) -> PurePosixPath:
    """Return a member's path; refuse one that would leave the target, is a bomb, or is locked."""
    path = PurePosixPath(member.filename.replace("\\", "/"))  # as some archives of Windows have it
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        raise PrepError(
            f'{shown} holds "{member.filename}", a path that leads outside the target folder; '
            "do not use this archive, fetch it from where it can be trusted."
        )
    if member.file_size > LARGEST_FILE:
        raise too_large(f"{member.filename} in {shown}", member.file_size)
    if member.flag_bits & 1:
        raise PrepError(
            f"{member.filename} in {shown} is encrypted; unpack the archive and name the folder."
        )
    return path
