"""Pickles of others: arrays come out as they went in, and nothing is run."""

import os
import pickle

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.inert_pickle import StoredArray, unpickled

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def refuse(name):
    return InputError(f"asked for {name}")


def read(value, protocol=4):
    return unpickled(pickle.dumps(value, protocol), refuse, "latin1")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["<f4", "<f8", ">f8", "<i8", "|u1", "|b1", "<f2"])
def test_arrays_come_out_as_they_went_in(kind, protocol):
    array = np.arange(10).reshape(5, 2) % 2 if kind == "|b1" else np.arange(10).reshape(5, 2) * 7
    for each in (array.astype(kind), np.asfortranarray(array.astype(kind))):
        found = read({"a": each}, protocol)["a"]
        assert isinstance(found, StoredArray)
        np.testing.assert_array_equal(found.numbers(), each)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(-3), np.int64(7), np.bool_(True)])
def test_numbers_come_out_as_they_went_in(number, protocol):
    found = read([number], protocol)[0].numbers()
    assert found.shape == ()
    assert found == number


def test_containers_numbers_and_texts_are_themselves():
    value = {"a": [1, 2.5, None, True, ("b", b"c")], "d": {}}
    assert read(value) == value


class Evil:
    def __init__(self, call, *words):
        self.made = call, words

    def __reduce__(self):
        return self.made


@pytest.mark.parametrize(
    ("call", "words", "name"),
    [
        (os.system, ("true",), "posix.system"),
        (eval, ("1",), "builtins.eval"),
        (getattr, ({}, "keys"), "builtins.getattr"),
        (np.load, ("x.npy",), "numpy"),
    ],
)
def test_what_a_file_asks_for_is_refused_and_not_run(call, words, name, tmp_path):
    with pytest.raises(InputError, match=f"asked for .*{name}"):
        read({"a": Evil(call, *words)})


def test_a_name_that_is_set_upon_is_refused():
    broken = b"cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb."
    with pytest.raises(InputError, match="changes no name of numpy"):
        unpickled(broken, refuse)


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.zeros(2, "M8[s]")])
def test_an_array_of_anything_but_numbers_has_none(array):
    with pytest.raises(ValueError, match="in place of numbers"):
        read(array).numbers()


def test_bytes_that_do_not_fit_a_shape_are_told():
    stored = read(np.arange(6.0))
    stored.shape = (4, 2)
    with pytest.raises(ValueError, match="reshape"):
        stored.numbers()
