"""What the user hands over: whatever is wrong with it is told in one sentence; the rest works."""

import shutil
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from prepared import all_files, assert_one_sentence, zipped

from data_prep.voc_files import open_files
from data_prep.voc_labels import CLASSES, classes_of, voc_colour
from data_prep.voc_lists import mask_picture
from data_prep.voc_scenes import TINY_VOC, VOC2012, read_mask
from data_prep.voc_store import read_labels


def photo(source, name="00003"):
    return source / "JPEGImages" / f"{name}.jpg"


def mask(source, name="00003"):
    return source / "Annotations" / f"{name}.png"


def save_mask(source, values, colours=TINY_VOC.colours):
    mask_picture(values.astype(np.uint8), colours).save(mask(source))


def add_to_list(source, split, text):
    with (source / "ImageSets" / f"{split}.txt").open("a") as file:
        file.write(f"{text}\n")


def encode_list(source, codec):
    path = source / "ImageSets" / "train.txt"
    path.write_bytes(path.read_text().encode(codec))


def turn(source):
    exif = Image.Exif()
    exif[0x0112] = 6  # the orientation
    Image.open(photo(source)).save(photo(source), exif=exif)


def chunk(kind, content):
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def save_bomb(path, width, height):
    """Write a PNG of a few bytes that announces an enormous picture."""
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0))
    data = chunk(b"PLTE", bytes(18)) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))


def truncate(path, lost):
    path.write_bytes(path.read_bytes()[:-lost])


def versions(source, *names):
    """Put copies of a data set side by side."""
    target = source.with_name("several")
    for name in names:
        shutil.copytree(source, target / name)
    return target


def archive(source):
    return zipped(source, source.with_name("tinyseg.zip"))


def changed_archive(source, change):
    path = archive(source)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def flipped(source):
    """Change one bit of a photograph in an archive that is not compressed."""
    path = zipped(source, source.with_name("stored.zip"), compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"JPEGImages/00003.jpg") + 2000] ^= 1
    path.write_bytes(content)
    return path


def with_member(source, name, content=b"x"):
    path = archive(source)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, content)
    return path


FULL = np.ones((128, 128))
ORDER = [TINY_VOC.colours[value] for value in (0, 2, 1, 3, 4, 5)]  # person and cat exchanged

#: What is done to the source, and what the error names.
SPOILED = [
    (lambda s: mask(s).unlink(), ["00003 has a photograph but no mask in Annotations"]),
    (
        lambda s: [photo(s, name).unlink() for name in ("00003", "00005")],
        ["00003 has a mask but no photograph in JPEGImages (and so do 1 others)"],
    ),
    (lambda s: save_mask(s, np.ones((30, 40))), ["00003.jpg is 128x128", "00003.png is 40x30"]),
    (lambda s: save_mask(s, 6 * FULL), ["Annotations/00003.png", "the value 6", "from 0 to 5"]),
    (
        lambda s: save_mask(s, 255 * FULL),
        ["Annotations/00003.png", "the value 255, PASCAL VOC's void"],
    ),
    (lambda s: save_mask(s, 0 * FULL), ["mask of 00003", "none of the classes"]),
    (
        lambda s: save_mask(s, FULL, ORDER),
        ["Annotations/00003.png", "the value 1 in the colour (0, 128, 0), not in (0, 0, 128)"],
    ),
    (lambda s: Image.new("RGB", (128, 128)).save(mask(s)), ["Annotations/00003.png", "mode RGB"]),
    (lambda s: truncate(photo(s), 300), ["JPEGImages/00003.jpg", "damaged", "fetch it again"]),
    (lambda s: truncate(mask(s), 100), ["Annotations/00003.png", "damaged"]),
    (lambda s: photo(s).write_text("<html>"), ["JPEGImages/00003.jpg", "is not a JPEG image"]),
    (lambda s: save_bomb(mask(s), 40_000, 25_000), ["00003.png", "decompression bomb"]),
    (turn, ["JPEGImages/00003.jpg", "on its side", "turn both upright"]),
    (lambda s: shutil.copy(photo(s), s / "JPEGImages" / "00003.JPG"), ["00003.jpg twice"]),
    (lambda s: add_to_list(s, "train", "00003"), ["train.txt", "lists 00003 twice"]),
    (lambda s: add_to_list(s, "val", "00003"), ["00003 in train.txt and in val.txt"]),
    (lambda s: add_to_list(s, "val", "00099"), ["00099 is listed but has neither photograph"]),
    (lambda s: add_to_list(s, "val", "\x1b[2Jx"), [r'"\x1b[2Jx", which is no id of tiny-voc']),
    (lambda s: (s / "ImageSets" / "val.txt").write_text("\n"), ["val.txt", "lists no image"]),
    (lambda s: (s / "ImageSets" / "val.txt").unlink(), ["val.txt is missing"]),
    (lambda s: shutil.rmtree(s / "JPEGImages"), ["has no folder JPEGImages", "--source"]),
]

#: What is handed over in its place, and what the error names.
GIVEN = [
    (lambda s: s / "nowhere", ["nowhere does not exist", "--source"]),
    (lambda s: photo(s), ["00003.jpg is neither a folder nor a zip archive"]),
    (lambda s: s / "Annotations", ["Annotations is a part of a data set", "name the whole"]),
    (lambda s: versions(s, "v1", "v2"), ["2 data sets, v1 and v2; name the one you mean"]),
    (
        lambda s: zipped(versions(s, "v1", "a/v2"), s.with_name("two.zip"), ""),
        ["2 data sets, a/v2 and v1; unpack it and name the one you mean"],
    ),
    (lambda s: with_member(s, "JPEGImages/00000.jpg"), ["2 data sets, . and TinySeg"]),
    (lambda s: with_member(s, "TinySeg/JPEGImages/00003.jpeg"), ["00003.jpg twice"]),
    *[
        (lambda s, name=name: with_member(s, name), ["a path that leads outside"])
        for name in ("TinySeg/../../x.txt", "/x.txt", "C:\\x.txt")
    ],
    (
        lambda s: with_member(s, "TinySeg/JPEGImages/99999.jpg", bytes(65 * 2**20)),
        ["TinySeg/JPEGImages/99999.jpg", "65 MiB unpacked", "decompression bomb"],
    ),
    (
        lambda s: changed_archive(s, lambda c: c.__delitem__(slice(-500, None))),
        ["tinyseg.zip is neither a folder nor a zip archive", "fetch it again"],
    ),
    (flipped, ["JPEGImages/00003.jpg in", "Bad CRC-32", "fetch the archive again"]),
]


@pytest.mark.parametrize(
    ("given", "words"),
    [*[(lambda s, spoil=spoil: (spoil(s), s)[1], words) for spoil, words in SPOILED], *GIVEN],
)
def test_bad_input(prepare, source, tmp_path, given, words):
    given = given(source)
    before = {path.name for path in tmp_path.iterdir()}
    status, out, err = prepare(given)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)
    assert {path.name for path in tmp_path.iterdir()} - {"data"} == before  # nothing came out
    assert not (tmp_path / "data").exists() or all_files(tmp_path / "data") == {}


def rename(paths, change):
    for path in list(paths):
        path.rename(path.with_name(change(path.name)))


def add_shadows(source):
    for path in (*source.glob("JPEGImages/*"), *source.glob("Annotations/*")):
        path.with_name(f"._{path.name}").write_bytes(b"\0\x05\x16\x07")


def archive_of_macos(source):
    path = archive(source)
    add_shadows(source)
    return zipped(source, path, "__MACOSX/TinySeg/")


def archive_of_windows(source):
    path = source.with_name("windows.zip")
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in all_files(source).items():
            packed.writestr("TinySeg\\" + name.replace("/", "\\"), content)
    return path


#: What is done to the source or handed over in its place, and changes nothing of what comes out.
HARMLESS = [
    *[lambda s, codec=codec: encode_list(s, codec) for codec in ("utf-8-sig", "utf-16")],
    lambda s: rename(s.glob("JPEGImages/*"), lambda name: name.replace("jpg", "JPEG")),
    lambda s: add_shadows(s),
    archive_of_macos,
    archive_of_windows,
    lambda s: zipped(s, s.with_name("plain.zip"), ""),
    lambda s: s.rename(s.with_name("a[1]* \x1b[2J")),
    lambda s: versions(s, "a/TinySeg"),
]


@pytest.mark.parametrize("given", HARMLESS)
def test_harmless_input(prepare, source, tmp_path, given):
    prepare(source, dest=tmp_path / "expected")
    status, out, err = prepare(given(source) or source)
    assert (status, err) == (0, "") and "\x1b" not in out
    found, expected = (
        {  # but for the fingerprint, which a list's encoding changes
            name: content
            for name, content in all_files(tmp_path / folder).items()
            if not name.endswith(("about.json", "SHA256SUMS"))
        }
        for folder in ("data", "expected")
    )
    assert found == expected


# PASCAL VOC 2012

IDS = [f"2007_{index:06d}" for index in range(14)]


@pytest.fixture
def devkit(tmp_path, drawn):
    """The drawn scenes as PASCAL VOC 2012 has them: its own values, void outlines, much else."""
    root = tmp_path / "devkit" / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    files, theirs = open_files(drawn), np.array([0, 15, 8, 1, 7, 3], np.uint8)
    for ours, identifier in zip(sorted(files.stems("JPEGImages", ".jpg")), IDS, strict=True):
        shutil.copy(photo(drawn, ours), photo(root, identifier))
        values = theirs[read_mask(files, TINY_VOC, ours)]
        values[0] = 255
        values[1, 0] = 20  # a television in the corner
        if ours == "00003":
            values[values != 255] = 20  # nothing of ours
        picture = mask_picture(values, VOC2012.colours)
        picture.save(root / "SegmentationClass" / f"{identifier}.png")
    for split, ids in (("train", IDS[:10]), ("val", IDS[10:])):
        path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
        path.write_text("\n".join(ids))
    shutil.copy(photo(root, IDS[0]), photo(root, "2007_999999"))
    return root.parent


def test_voc2012_is_restricted_to_the_five_classes(prepare, devkit, drawn, tmp_path):
    assert prepare(devkit, "--voc2012")[0] == 0
    folder = tmp_path / "data" / "tiny-voc"
    labels = read_labels(folder)
    assert list(labels) == [identifier for identifier in IDS if identifier != IDS[3]]
    for identifier, classes in labels.items():
        values = read_mask(open_files(drawn), TINY_VOC, identifier[-5:]).copy()
        values[0] = 0
        values[1, 0] = 0
        assert classes == classes_of(values)
    assert '"voc2012"' in (folder / "about.json").read_text()


def nothing_of_ours(devkit):
    for identifier in IDS[10:]:
        path = devkit / "VOC2012" / "SegmentationClass" / f"{identifier}.png"
        mask_picture(np.full((8, 8), 20, np.uint8), VOC2012.colours).save(path)


#: What is handed over, and whether as VOC 2012, and what the error names.
OTHERS = [
    (lambda kit, _: nothing_of_ours(kit), True, ["No image of val.txt", "any of the classes"]),
    (lambda kit, _: (kit / "VOC2012").rename(kit / "VOC2007"), True, ["VOC2007, not VOC2012"]),
    (
        lambda kit, _: shutil.copytree(kit / "VOC2012", kit / "VOC2007") and kit,
        True,
        ["2 data sets, VOC2007 and VOC2012"],
    ),
    (lambda kit, _: None, False, ["laid out as PASCAL VOC 2012; add --voc2012"]),
    (lambda _, source: source, True, ["ImageSets/Segmentation/train.txt is missing"]),
]


@pytest.mark.parametrize(("given", "as_voc", "words"), OTHERS)
def test_one_data_set_is_not_taken_for_another(prepare, devkit, source, given, as_voc, words):
    status, out, err = prepare(given(devkit, source) or devkit, *["--voc2012"] * as_voc)
    assert (status, out) == (2, "")
    assert_one_sentence(err, *words)


def test_voc2012_values_and_colours_are_those_of_the_devkit():
    """Everingham et al.'s order of the classes, from aeroplane, 1, to tvmonitor, 20."""
    theirs = (
        "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
        "person pottedplant sheep sofa train tvmonitor"
    )
    same = {"aeroplane": "plane", "bird": "bird", "car": "car", "cat": "cat", "person": "person"}
    for value, name in enumerate(theirs.split(), start=1):
        ours = VOC2012.values[value]
        assert (CLASSES[ours - 1] if ours else None) == same.get(name)
    assert VOC2012.values[0] == VOC2012.values[255] == 0 and len(VOC2012.values) == 22
    known = {0: (0, 0, 0), 1: (128, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128)}
    known[255] = (224, 224, 192)
    assert {value: voc_colour(value) for value in known} == known
