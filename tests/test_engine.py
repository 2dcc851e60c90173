"""What commands tell JAX before it computes anything: where compiled programs are kept."""

import jax
import pytest

from jaxmetal.cli.engine import keep_programs

SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_compilation_cache_max_size",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)


@pytest.fixture
def unsettled(monkeypatch, tmp_path):
    """JAX as it is where nobody told it anything, and a cache folder of one's own."""
    before = {name: jax.config.values[name] for name in SETTINGS}
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)


def test_programs_are_kept_in_the_users_cache_folder(unsettled):
    keep_programs()
    folder = unsettled / "cache" / "jaxmetal" / "programs"
    assert folder.is_dir()
    assert jax.config.values["jax_compilation_cache_dir"] == str(folder)
    assert 0 < jax.config.values["jax_compilation_cache_max_size"] < 2**31


def test_a_folder_that_jax_was_told_stays(unsettled):
    jax.config.update("jax_compilation_cache_dir", str(unsettled / "mine"))
    keep_programs()
    assert jax.config.values["jax_compilation_cache_dir"] == str(unsettled / "mine")
    assert not (unsettled / "cache").exists()


def test_where_nothing_can_be_written_nothing_is_kept_or_said(unsettled, capfd):
    (unsettled / "cache").write_text("no folder")
    keep_programs()
    assert jax.config.values["jax_compilation_cache_dir"] is None
    assert capfd.readouterr() == ("", "")
