"""Strange names in pictures and files, and pictures that cannot be drawn: nothing else is lost."""

import errno
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from configured import GRID, ORIGIN, SHAPE
from matplotlib.figure import Figure
from matplotlib.image import imread

import jaxmetal as jm
import jaxmetal.plot.of_posterior as of_posterior
import jaxmetal.plot.thumbnails as thumbnails
from jaxmetal.cli.results import figures
from jaxmetal.edge.errors import InputError
from jaxmetal.io import write_maps
from jaxmetal.plot.formulae import SafeFigure
from jaxmetal.plot.saved import save_each
from jaxmetal.plot.style import new_figure
from jaxmetal.run import chunk

STRANGE = "$\\frac$"


def written(figure):
    """The texts that matplotlib takes for formulae, and those it writes as they stand, once drawn."""
    figure.savefig(BytesIO())
    texts = [text for text in figure.findobj(lambda one: hasattr(one, "get_parse_math")) if "$" in text.get_text()]
    return {text.get_text(): text.get_parse_math() for text in texts}


def test_a_text_that_is_no_formula_is_written_as_it_stands():
    figure = new_figure(3.0, 3.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label=STRANGE)
    axes.legend()
    axes.set(title=f"$\\alpha$\n{STRANGE}", xlabel="$\\sigma$ [dex]", ylabel="a$b")
    assert written(figure) == {STRANGE: False, f"$\\alpha$\n{STRANGE}": False, "$\\sigma$ [dex]": True, "a$b": True}


def test_a_picture_that_fails_loses_only_itself(tmp_path):
    def broken():
        raise RuntimeError("no\nsuch glyph")

    [lost] = save_each({"one": Figure, "two": broken, "three": Figure}, tmp_path, formats=("png", "pdf"))
    assert str(lost).startswith("WARNING: The picture two could not be drawn (RuntimeError: no such glyph);")
    assert {path.name for path in tmp_path.iterdir()} == {"one.png", "one.pdf", "three.png", "three.pdf"}

    def full():
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(InputError, match="the disk is full"):
        save_each({"one": full}, tmp_path)


def test_a_picture_is_drawn_once_and_is_what_matplotlib_would_save(tmp_path, monkeypatch):
    def labelled():
        figure = new_figure(3.0, 2.0)
        figure.subplots(1, 2)[0].set(ylabel="$\\sigma$ [dex]", xlabel="x")
        return figure

    labelled().savefig(tmp_path / "expected.png", dpi=70)
    calls, draw = [], SafeFigure.draw
    monkeypatch.setattr(SafeFigure, "draw", lambda *arguments: calls.append(0) or draw(*arguments))
    assert save_each({"found": labelled}, tmp_path, dpi=70) == []
    assert len(calls) == 1
    expected, found = (imread(tmp_path / f"{name}.png") for name in ("expected", "found"))
    assert found.shape == (140, 210, 4)
    assert np.array_equal(found, expected)


def test_a_fit_goes_on_to_its_other_pictures(tmp_path, capsys, monkeypatch):
    shown = jm.observation.Quantity("Z", "dex")
    observed = SimpleNamespace(properties=("metallicity",), quantity=shown, psf=None, pixels=GRID)
    source = SimpleNamespace(carries={"metallicity": None})
    posterior = SimpleNamespace(observations=["seen"], sampled=True)
    filled = {"scene": SimpleNamespace(sources={STRANGE: source}), "seen": observed}
    for name, drawn in {"overview": Figure, "corner": Figure, "galaxy": lambda: 1 / 0}.items():
        monkeypatch.setattr(of_posterior, name, lambda *_, made=drawn, **__: made())
    figures(SimpleNamespace(posterior=posterior, filled=filled, tree={"scene": filled["scene"]}), tmp_path)
    assert "source_plane_seen could not be drawn (ZeroDivisionError" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"fit_seen.png", "corner.png"}


def test_extensions_of_other_letters_are_written_in_ascii(tmp_path):
    write_maps(tmp_path / "maps.fits", {"Ω_disc": GRID.centres()[0]}, GRID, ORIGIN)
    with fits.open(tmp_path / "maps.fits") as maps:
        assert maps[1].name == "\\u03a9_disc".upper()
        assert maps[1].shape == SHAPE


def test_rows_of_a_chunk_are_written_before_its_page_which_may_fail(tmp_path, monkeypatch):
    order = []
    plan = SimpleNamespace(options={"float32": False})
    run = SimpleNamespace(folder=tmp_path, plan=plan, chunk_path=str, thumbnail_path=lambda _: tmp_path / "0.png")
    rows = [{"status": SimpleNamespace(value="ok")}]
    glance = chunk.Glance(None, "dex")

    def broken(*_):
        order.append("page")
        raise ValueError("Unknown symbol")

    monkeypatch.setattr(chunk, "_fitted", lambda *_: (rows, [glance]))
    monkeypatch.setattr(chunk, "write_rows", lambda *_: order.append("rows"))
    monkeypatch.setattr(thumbnails, "page", broken)
    with pytest.warns(UserWarning, match=r"The picture 0\.png could not be drawn \(ValueError: Unknown symbol\)"):
        assert chunk.fit_chunk(run, 0) == (1, 0)
    assert order == ["rows", "page"]
