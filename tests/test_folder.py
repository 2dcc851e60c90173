"""Output folders are complete or absent."""

import errno
import os
from pathlib import Path

import pytest

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import writing
from jaxmetal.io.folder import MARKER, output_folder


def results(path, text="old"):
    """A folder as an earlier run left it."""
    with output_folder(path) as folder:
        (folder / MARKER).write_text(text)
    return path


def interrupted(path, interruption, **options):
    with output_folder(path, **options) as folder:
        (folder / MARKER).write_text("new")
        raise interruption


def listed(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_folder_appears_only_when_complete(tmp_path):
    target = tmp_path / "fit"
    with output_folder(target) as folder:
        (folder / "map.txt").write_text("1")
        assert not target.exists()
        assert folder.parent.parent == target.parent  # one file system, so that the last step is a rename
    assert listed(tmp_path) == ["fit"]
    assert (target / "map.txt").read_text() == "1"


def test_permissions_are_those_of_any_new_folder(tmp_path):
    (tmp_path / "plain").mkdir()
    assert results(tmp_path / "fit").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize("earlier", [False, True])
def test_nothing_is_left_half_written(tmp_path, interruption, earlier):
    target = tmp_path / "fit"
    if earlier:
        results(target)
    with pytest.raises(interruption):
        interrupted(target, interruption, overwrite=earlier)
    assert listed(tmp_path) == (["fit"] if earlier else [])
    assert not earlier or (target / MARKER).read_text() == "old"


def test_earlier_results_are_replaced_whole(tmp_path):
    target = results(tmp_path / "fit")
    (target / "stale").touch()
    with output_folder(target, overwrite=True) as folder:
        (folder / MARKER).write_text("new")
        assert (target / MARKER).read_text() == "old"
    assert listed(target) == [MARKER]
    assert (target / MARKER).read_text() == "new"
    assert listed(tmp_path) == ["fit"]


def test_earlier_results_survive_a_failed_rename(tmp_path, monkeypatch):
    target = results(tmp_path / "fit")
    rename = type(target).rename

    def refuse(path, to):
        if to == target and path.parent.parent == target.parent:  # only the last step, not the way back
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, to)

    with pytest.raises(InputError, match="disk is full"), output_folder(target, overwrite=True):
        monkeypatch.setattr(type(target), "rename", refuse)
    monkeypatch.undo()
    assert listed(target) == [MARKER], listed(tmp_path)
    assert (target / MARKER).read_text() == "old"


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "fit").mkdir()
    with output_folder(tmp_path / "fit", overwrite=True) as folder:
        (folder / "a").touch()
    assert listed(tmp_path / "fit") == ["a"]


def existing(path):
    return results(path / "fit"), {}


def foreign(path):
    (path / "home").mkdir()
    (path / "home" / "thesis.tex").touch()
    return path / "home", {"overwrite": True}


def file(path):
    (path / "fit").touch()
    return path / "fit", {"overwrite": True}


def link(path):
    results(path / "real")
    (path / "fit").symlink_to(path / "real")
    return path / "fit", {"overwrite": True}


def orphan(path):
    return path / "no" / "fit", {}


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (existing, "exists already"),
        (foreign, f"holds no {MARKER}"),
        (file, "is a file or link"),
        (link, "is a file or link"),
        (orphan, "needs an existing parent folder"),
    ],
)
def test_refused_before_anything_is_computed(tmp_path, case, sentence):
    target, options = case(tmp_path)
    before = listed(tmp_path)
    entered = False
    with pytest.raises(InputError, match=sentence) as caught, output_folder(target, **options):
        entered = True
    assert not entered
    assert "\n" not in str(caught.value)
    assert listed(tmp_path) == before


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path):
    target = tmp_path / "fit"
    with pytest.raises(InputError, match="exists already"), output_folder(target):
        results(target, "theirs")
    assert listed(tmp_path) == ["fit"]
    assert (target / MARKER).read_text() == "theirs"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_parent_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="permission is denied"), output_folder(tmp_path / "fit"):
        pass


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "permission is denied"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "disk is full"),
        (errno.ENOENT, "is missing"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path, monkeypatch, number, sentence):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=sentence), output_folder(tmp_path / "fit"):
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_disk_that_fills_up(tmp_path):
    with pytest.raises(InputError, match="disk is full; free some space") as caught, output_folder(tmp_path / "fit"):
        os.write(os.open("/dev/full", os.O_WRONLY), b"x")
    assert "\n" not in str(caught.value)
    assert listed(tmp_path) == []


def test_a_full_disk_is_recognised_behind_another_error():
    error = OSError("astropy says it in its own words")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(InputError, match="disk is full"), writing("maps.fits"):
        raise error


@pytest.mark.parametrize(("place", "sentence"), [("x" * 300, "is too long"), ("x" * 300 + "/fit", "existing parent")])
def test_a_name_that_no_file_system_takes(tmp_path, place, sentence):
    with pytest.raises(InputError, match=sentence), output_folder(tmp_path / place):
        pass


def test_other_errors_pass():
    with pytest.raises(IsADirectoryError), writing("maps.fits"), open("/"):
        pass
