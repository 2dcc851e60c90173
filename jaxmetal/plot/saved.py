"""Pictures as files, one after the other: one that fails loses only itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.writing import writing
from jaxmetal.plot.style import DPI


def save_each(
    pictures: Mapping[str, Callable[[], Figure]],
    folder: str | Path,
    *,
    formats: Sequence[str] = ("png",),
    dpi: float = DPI,
) -> list[Finding]:
    """Draws and writes pictures.

    Args:
        pictures: name of the file without its ending -> what draws it.
        folder: an existing folder.
        formats: endings, one file for each.
        dpi: dots per inch.

    Returns:
        A warning for each that could not be drawn, of which no file is left.

    Raises:
        InputError: if nothing can be written there.
    """
    lost = []
    for name, draw in pictures.items():
        paths = [Path(folder) / f"{name}.{ending}" for ending in formats]
        try:
            with writing(folder):
                figure = draw()
                figure.set_dpi(dpi)
                for path in paths:
                    write(figure, path)
        except (InputError, OSError):
            raise
        except Exception as error:  # whatever a library raises over what it has never been given before
            for path in paths:
                path.unlink(missing_ok=True)
            lost.append(lost_picture(name, error))
    return lost


def write(figure: Figure, path: Path) -> None:
    """As `figure.savefig`, which draws everything twice to find room for texts; a canvas finds it as it draws."""
    if path.suffix == ".png":
        FigureCanvasAgg(figure).print_png(path)
    else:
        figure.savefig(path)


def lost_picture(name: str, error: Exception) -> Finding:
    """What to say of a picture that could not be drawn."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return Finding("warning", f"The picture {name} could not be drawn ({reason}); everything else is complete.")
