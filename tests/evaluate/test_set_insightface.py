import io
import os
import pickle
import pickletools

import numpy as np
import pytest
from PIL import Image

from facegauge import images
from facegauge.errors import InputError
from facegauge.evaluate.set_insightface import read


def encoded(number: int, kind: str = "JPEG") -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


PICTURES = [encoded(number) for number in (0, 1, 2, 3, 0, 4)]
SAME = [True, False, True]


def told(found) -> list[tuple]:
    return [
        (found.images[a], found.images[b], bool(mated))
        for a, b, mated in zip(
            found.pairs.first, found.pairs.second, found.pairs.mated, strict=True
        )
    ]


EXPECTED = [(PICTURES[2 * i], PICTURES[2 * i + 1], SAME[i]) for i in range(3)]


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


def write(tmp_path, data: bytes, name: str = "lfw.bin"):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "contents",
    [
        (PICTURES, SAME),
        [PICTURES, SAME],
        (tuple(PICTURES), [int(flag) for flag in SAME]),
        ([array(data) for data in PICTURES], SAME),
        ([array(data).copy() for data in PICTURES], np.array(SAME)),
        ([array(data).reshape(-1, 1).copy() for data in PICTURES], [np.bool_(x) for x in SAME]),
        (list(map(bytearray, PICTURES)), np.array(SAME, dtype=np.uint8)),
        (PICTURES, [np.int64(flag) for flag in SAME]),
    ],
)
def test_files_of_python_3(tmp_path, contents, protocol):
    if any(isinstance(each, bytearray) for each in contents[0]) and protocol < 5:
        pytest.skip("older protocols need the name bytearray")
    found = read(write(tmp_path, pickle.dumps(contents, protocol=protocol)))
    assert told(found) == EXPECTED
    assert found.aligned
    assert images.read(found.images[0]).pixels.shape == (112, 112, 3)


def python2(protocol: int, arrays: bool = False) -> bytes:
    """What cPickle of Python 2 writes: its str as STRING opcodes, old names of numpy."""

    def text(data: bytes) -> bytes:
        if protocol == 0:
            return b"S" + repr(data)[1:].encode("ascii") + b"\n"
        return b"T" + len(data).to_bytes(4, "little") + data

    def short(data: bytes) -> bytes:
        return b"U" + bytes([len(data)]) + data

    def picture(data: bytes) -> bytes:
        if not arrays:
            return text(data)
        begun = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt" + short(b"b")
        kind = b"cnumpy\ndtype\n(" + short(b"u1") + b"I0\nI1\ntR(I3\n" + short(b"|")
        kind += b"NNNI-1\nI-1\nI0\ntb"
        state = b"(I1\n(I%d\nt" % len(data) + kind + b"I00\n" + text(data) + b"t"
        return begun + b"tR" + state + b"b"

    head = b"" if protocol < 2 else b"\x80\x02"
    flags = [b"\x88" if flag else b"\x89" for flag in SAME]
    if protocol < 2:
        flags = [b"I01\n" if flag else b"I00\n" for flag in SAME]
    lists = b"(" + b"".join(map(picture, PICTURES)) + b"l(" + b"".join(flags) + b"l"
    return head + b"(" + lists + b"t."


@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("arrays", [False, True])
def test_files_of_python_2(tmp_path, protocol, arrays):
    if protocol == 0 and arrays:
        pytest.skip("binary opcodes are used")
    data = python2(protocol, arrays)
    if protocol:  # pickletools reads no bytes in text
        assert list(pickletools.genops(data))
    assert told(read(write(tmp_path, data))) == EXPECTED


def test_a_picture_of_several_pairs_comes_once(tmp_path):
    found = read(write(tmp_path, pickle.dumps((PICTURES, SAME)), "agedb_30.bin"))
    assert found.name == "agedb_30"
    assert found.names == tuple(f"agedb_30/{number:05}" for number in (0, 1, 2, 3, 5))
    assert found.pairs.first.tolist() == [0, 2, 0]
    assert found.pairs.second.tolist() == [1, 3, 4]
    assert found.identities is None


def test_a_picture_is_never_compared_with_itself(tmp_path):
    twice = [PICTURES[0]] * 4
    found = read(write(tmp_path, pickle.dumps((twice, [True, True]))))
    assert found.images == (PICTURES[0],) * 3
    assert (found.pairs.first != found.pairs.second).all()


def call(module: bytes, name: bytes, argument: bytes) -> bytes:
    return b"(c" + module + b"\n" + name + b"\n(V" + argument + b"\ntRl."


class Trap:
    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return (os.mkdir, (self.place,))


def test_nothing_in_a_file_is_run(tmp_path):
    sprung = tmp_path / "sprung"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(([Trap(sprung)], [True]), protocol=protocol)
        with pytest.raises(InputError, match=r"asks for \w+\.mkdir: it was not run"):
            read(write(tmp_path, data))
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (b"os", b"system"),
        (b"posix", b"system"),
        (b"__builtin__", b"eval"),
        (b"builtins", b"getattr"),
        (b"numpy", b"load"),
        (b"numpy", b"core.multiarray.scalar"),
        (b"numpy.core.multiarray", b"fromfile"),
        (b"numpy.core.multiarray", b"_reconstruct.__globals__"),
        (b"copy_reg", b"_reconstructor"),
        (b"_codecs", b"decode"),
    ],
)
def test_every_other_name_is_refused(tmp_path, module, name):
    with pytest.raises(InputError, match="it was not run") as caught:
        read(write(tmp_path, call(module, name, b"echo")))
    assert "a .bin file: a pickle of (list of 2 P encoded pictures" in str(caught.value)


@pytest.mark.parametrize(
    "attack",
    [
        b"cnumpy\ndtype\nN}Vstands_for\nI1\ns\x86b.",  # sets an attribute on a stand-in
        b"cnumpy.core.multiarray\n_reconstruct\n}V__doc__\nVx\nsb.",
        b"c_codecs\nencode\n(Vx\nVutf-7\ntR.",
        b"c_codecs\nencode\n)R.",
        b"cnumpy\ndtype\n)\x81.",  # makes one without calling it
        b"Px\n.",  # a persistent id
        b"\x82\x01.",  # an extension code
    ],
)
def test_stand_ins_are_closed(tmp_path, attack):
    with pytest.raises(InputError, match="no such pickle|broken|it was not run"):
        read(write(tmp_path, attack))
    assert told(read(write(tmp_path, pickle.dumps((PICTURES, SAME), 2)))) == EXPECTED


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no such pickle"),
        (b"path,identity\n", "no such pickle"),
        (pickle.dumps((PICTURES, SAME))[:-20], "no such pickle"),
        (pickle.dumps({"images": PICTURES}), "a pickled dict"),
        (pickle.dumps((PICTURES, SAME, 1)), "a pickled tuple"),
        (pickle.dumps((PICTURES[:-1], SAME)), "got 5 pictures and 3 flags"),
        (pickle.dumps(([], [])), "got 0 pictures and 0 flags"),
        (pickle.dumps((PICTURES, 3)), "a int in place of a list"),
        (pickle.dumps((["a"] * 6, SAME)), "a str in place of a picture"),
        (pickle.dumps(([np.zeros(3)] * 6, SAME)), "in place of a picture"),
        (pickle.dumps((PICTURES, [True, False, 2])), "'2' in place of a flag"),
        (pickle.dumps((PICTURES, [True, False, "no"])), "'no' in place of a flag"),
    ],
)
def test_other_files_are_refused_with_the_layout(tmp_path, data, match):
    with pytest.raises(InputError, match=match) as caught:
        read(write(tmp_path, data))
    assert "Expected the layout insightface (a .bin file" in str(caught.value)


def test_a_missing_file_and_a_folder_of_pictures(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "cfp_fp.bin")
    with pytest.raises(InputError, match="holds them"):
        read(write(tmp_path, pickle.dumps((PICTURES, SAME))), tmp_path)
