"""What must hold of a preparation: what is in a folder, and what an error says."""

import zipfile


def snapshot(folder):
    """Everything below a folder: relative path to content (None for a folder)."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def all_files(folder):
    """Every file below a folder: relative path to content."""
    return {name: content for name, content in snapshot(folder).items() if content is not None}


def assert_one_sentence(err, *words):
    assert err.startswith("data_prep: ") and err.endswith(".\n") and err.count("\n") == 1
    for word in words:
        assert str(word) in err


def zipped(folder, target, prefix="TinySeg/", compression=zipfile.ZIP_DEFLATED):
    """Add every file below a folder to an archive, under a prefix."""
    with zipfile.ZipFile(target, "a", compression) as archive:
        for name, content in all_files(folder).items():
            archive.writestr(prefix + name, content)
    return target
