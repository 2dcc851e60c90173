"""Files without an end, too many names and names that lead elsewhere: refused in bounded time and memory."""

import gzip
import os
import time

import numpy as np
import pytest
from astropy.io import fits

from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io.ending import LONGEST_HEADER, require_end
from jaxmetal.io.fits import read_map
from jaxmetal.io.record import checksum
from jaxmetal.io.sample.stored import stored
from jaxmetal.io.sealed import intact
from jaxmetal.io.tables import read_table
from jaxmetal.run import RunPlan, fit, missing, read_catalogue, start

BEGINNING = b"SIMPLE  =                    T".ljust(80)


def backwards(path):
    """An extension whose data have a negative size, so that the next is the same again."""
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((19, 19)))]).writeto(path)
    whole = path.read_bytes()
    at = whole.find(b"GCOUNT")
    path.write_bytes(whole[:at] + b"GCOUNT  =                   -1".ljust(80) + whole[at + 80 :])


def hollow(path):
    """A header of zeros, tens of GB of them, that takes no place on the disk."""
    path.write_bytes(BEGINNING)
    os.truncate(path, 40 * 10**9)


def packed(path):
    with gzip.open(path, "wb") as file:
        file.write(BEGINNING)
        file.write(bytes(2 * LONGEST_HEADER))


ENDLESS = {
    "gcount": (backwards, "fits", "-2880 bytes"),
    "hollow": (hollow, "fits", "has no end"),
    "gz": (packed, "fits.gz", "has no end"),
}


@pytest.mark.parametrize("case", ENDLESS, ids=str)
@pytest.mark.parametrize("read", [read_map, read_table])
def test_fits_files_without_an_end(tmp_path, read, case):
    make, ending, words = ENDLESS[case]
    path = tmp_path / f"map.{ending}"
    make(path)
    with pytest.raises(InputError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_catalogue_without_an_end(tmp_path):
    backwards(tmp_path / "sample.fits")
    (tmp_path / "shared.toml").touch()
    with pytest.raises(InputError, match="-2880 bytes"):
        read_catalogue(tmp_path / "sample.fits", tmp_path / "shared.toml")


def test_a_map_that_unpacks_to_more_than_the_memory(tmp_path):
    header = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 60_000), ("NAXIS2", 60_000)])
    path = tmp_path / "map.fits"
    path.write_bytes(header.tostring().encode())
    os.truncate(path, 2880 + 60_000**2)
    with pytest.raises(InputError, match="at most 100,000,000 pixels, but is"):
        read_map(path)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
@pytest.mark.parametrize("command", ["check", "lines"])
def test_a_configuration_without_an_end(tmp_path, capsys, make, command):
    make(tmp_path / "endless.toml")
    assert (
        main([command, str(tmp_path / "endless.toml"), *(["-o", str(tmp_path / "o")] if command == "lines" else [])])
        == 2
    )
    said = capsys.readouterr().err
    assert "is a device or a pipe; save what it gives as a file" in said
    assert said.count("\n") == 1


def test_a_configuration_of_gigabytes(tmp_path, capsys):
    (tmp_path / "large.toml").touch()
    os.truncate(tmp_path / "large.toml", 10**10)
    assert main(["check", str(tmp_path / "large.toml")]) == 2
    assert "must have at most 16 MiB, but has 9537" in capsys.readouterr().err


def test_names_are_compared_in_linear_time(tmp_path):
    names = [f"galaxy {number}" for number in range(40_000)]
    (tmp_path / "sample.csv").write_text("\n".join(["name", *names, names[7]]))
    (tmp_path / "shared.toml").touch()
    began = time.process_time()
    with pytest.raises(InputError, match="'galaxy 7' more than once"):
        read_catalogue(tmp_path / "sample.csv", tmp_path / "shared.toml")
    assert time.process_time() - began < 3.0  # pairwise: 15 s


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", ".hidden", "a\0b"])
def test_names_do_not_lead_out_of_the_folder_of_posteriors(tmp_path, name):
    (tmp_path / "posteriors").mkdir()
    with pytest.raises(InputError, match="which no file can have"):
        stored(tmp_path / "posteriors", ["inside", name], "disc.metallicity.slope")


def test_a_catalogue_is_read_once_whatever_the_number_of_chunks(tmp_path, monkeypatch):
    (tmp_path / "sample.csv").write_text("\n".join(["name", *"abcdef"]))
    (tmp_path / "shared.toml").touch()
    paths = {"catalogue": tmp_path / "sample.csv", "configuration": tmp_path / "shared.toml"}
    plan = RunPlan(
        **{name: str(path) for name, path in paths.items()},
        checksums={name: checksum(path) for name, path in paths.items()},
        options={"seed": 0, "float32": False, "posteriors": False},
        chunks=[[row] for row in range(6)],
        groups=[],
        unreadable={},
        inputs={},
    )
    run = start(plan, tmp_path / "run")
    monkeypatch.setattr("jaxmetal.run.plans.read_catalogue", None)
    fit(run)
    assert missing(run) == []


@pytest.mark.parametrize("use", [intact, lambda path: require_end(path, "The map") is not None])
def test_what_may_not_be_read_is_left_to_others_to_say(tmp_path, monkeypatch, use):
    (tmp_path / "a").touch()

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    assert not use(tmp_path / "a")
