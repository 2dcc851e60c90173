"""The galaxies of the zoo: what people fit, each as a truth drawn from its own prior, FITS files and a TOML.

A case is a frame, sources as tables of the TOML with priors in them, and a few departures. Its truth is a draw of these
priors by numpy, so that intervals must cover it as often as they say.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from lensed_numpy import sie
from zoo_sky import PSFS, Frame, Part, Seen, profiles, render

Table = dict[str, Any]
PIXEL = 0.2


@dataclasses.dataclass(frozen=True)
class Case:
    """One kind of fit.

    Attributes:
        label: in words.
        shape: of the map, (ny, nx).
        psf: type -> its FWHM in pixels and, for a Moffat, beta.
        sources: priors of the TOML's [sources]; default: a disc with a gradient.
        pixel: arcsec.
        noise: scatter of the metallicity at the centre, dex.
        departures: see `write`.
    """

    label: str
    shape: tuple[int, int]
    psf: tuple[str, float] | tuple[str, float, float]
    sources: Table = dataclasses.field(default_factory=dict)
    pixel: float = PIXEL
    noise: float = 0.05
    departures: frozenset[str] = frozenset()

    @property
    def frame(self) -> Frame:
        """Pixels and blur of the truth."""
        kind, *numbers = self.psf
        return Frame(self.shape, self.pixel, PSFS[kind](*numbers))


def normal(loc: float, scale: float) -> Table:
    """A Gaussian prior."""
    return {"dist": "Normal", "loc": loc, "scale": scale}


def lognormal(middle: float, scale: float = 0.3) -> Table:
    """A log-normal prior about `middle`."""
    return {"dist": "LogNormal", "loc": float(np.log(middle)), "scale": scale}


def uniform(low: float, high: float) -> Table:
    """A flat prior."""
    return {"dist": "Uniform", "low": low, "high": high}


def disc(size: float, *, q: Any = None, profile: Table | None = None, lights: tuple[str, ...] = ("halpha",)) -> Table:
    """[sources.disc]: an exponential disc of about `size` arcsec with free geometry and a gradient."""
    where = normal(0.0, 0.15 * size)
    shape = uniform(0.2, 1.0) if q is None else q
    light = {"type": "Sersic", "flux": lognormal(100.0), "r_eff": lognormal(size), "n": 1.0}
    gradient = {"type": "Gradient", "central": normal(8.5, 0.3), "slope": normal(0.0, 0.3 / size)}
    return {
        "disc": {
            "frame": {"type": "Disc", "x0": where, "y0": where, "q": shape, "pa": uniform(-50.0, 130.0)},
            "lights": dict.fromkeys(lights, light),
            "carries": {"metallicity": {"weight": "halpha", "profile": profile or gradient}},
        }
    }


def clumps(size: float) -> Table:
    """Three round clumps of one metallicity each."""
    places = {"a": (0.0, 0.9), "b": (0.8, -0.5), "c": (-0.8, -0.4)}
    return {
        name: {
            "frame": {"type": "Disc", "x0": normal(x * size, 0.1 * size), "y0": normal(y * size, 0.1 * size)},
            "lights": {"halpha": {"type": "Gaussian", "flux": lognormal(35.0), "r_eff": lognormal(0.35 * size)}},
            "carries": {
                "metallicity": {"weight": "halpha", "profile": {"type": "Constant", "value": normal(8.5, 0.3)}}
            },
        }
        for name, (x, y) in places.items()
    }


def bulge(size: float) -> Table:
    """A disc with a gradient and a rounder centre of its own metallicity."""
    where = normal(0.0, 0.1 * size)
    return {
        **disc(size),
        "bulge": {
            "frame": {"type": "Disc", "x0": where, "y0": where},
            "lights": {"halpha": {"type": "Gaussian", "flux": lognormal(25.0), "r_eff": lognormal(0.25 * size)}},
            "carries": {
                "metallicity": {"weight": "halpha", "profile": {"type": "Constant", "value": normal(8.8, 0.2)}}
            },
        },
    }


def broken(size: float) -> Table:
    """[...profile]: two slopes."""
    slope = normal(0.0, 0.3 / size)
    return {
        "type": "BrokenGradient",
        "central": normal(8.5, 0.3),
        "inner": slope,
        "outer": slope,
        "r_break": lognormal(size),
    }


def arms(size: float) -> Table:
    """[...profile]: a gradient with two arms on it."""
    spiral = {"type": "SpiralArms", "m": 2, "pitch": 25.0, "phase": normal(40.0, 20.0), "amplitude": normal(0.2, 0.1)}
    gradient = {"type": "Gradient", "central": normal(8.5, 0.3), "slope": normal(0.0, 0.3 / size)}
    return {"type": "Sum", "parts": {"radial": gradient, "arms": {**spiral, "width": 25.0, "r_core": 0.3 * size}}}


KMOS, MUSE = ("Moffat", 3.5, 2.8), ("Moffat", 3.5, 2.8)
CASES = {
    "template": Case("the template, KMOS", (30, 34), KMOS, disc(0.7), departures=frozenset({"jitter", "sky"})),
    "muse": Case("MUSE, bins", (45, 45), MUSE, disc(1.2), departures=frozenset({"bins"})),
    "niriss": Case("NIRISS", (41, 41), ("Gaussian", 2.0), disc(0.3), pixel=0.065),
    "nirspec": Case("NIRSpec IFU, FITS kernel", (31, 37), ("Halo", 1.5), disc(0.35), pixel=0.1),
    "manga": Case("MaNGA, correlated", (60, 60), ("Gaussian", 5.0), disc(4.0), 0.5, departures=frozenset({"smooth"})),
    "paper": Case("121 x 121, Gaussian 15", (121, 121), ("Gaussian", 15.0), disc(1.0), pixel=0.066, noise=0.1),
    "large": Case("121 x 121, Moffat 4", (121, 121), ("Moffat", 4.0, 2.8), disc(3.0), noise=0.1),
    "drowned": Case("25 x 25, Gaussian 8", (25, 25), ("Gaussian", 8.0), disc(0.6)),
    "jitter": Case("jitter and sky", (30, 30), ("Gaussian", 3.0), disc(0.7), departures=frozenset({"jitter", "sky"})),
    "seeing": Case("free PSF, tied", (31, 33), ("Gaussian", 3.0), disc(0.7), departures=frozenset({"seeing"})),
    "edge": Case("edge-on", (33, 31), ("Gaussian", 3.0), disc(1.0, q=uniform(0.1, 0.2))),
    "face": Case("face-on", (33, 31), ("Gaussian", 3.0), disc(0.8, q=uniform(0.9, 1.0))),
    "flat": Case("flat", (33, 31), ("Gaussian", 3.0), disc(0.8), departures=frozenset({"flat"})),
    "faint": Case("S/N 3", (25, 27), ("Gaussian", 3.0), disc(0.7), noise=0.3),
    "bulge": Case("two components", (31, 33), ("Gaussian", 3.0), bulge(0.9)),
    "clumps": Case("three clumps", (31, 33), ("Gaussian", 3.0), clumps(0.9)),
    "broken": Case("broken gradient", (31, 33), ("Gaussian", 3.0), disc(0.9, profile=broken(0.9))),
    "arms": Case("arms", (35, 33), ("Gaussian", 2.5), disc(1.0, profile=arms(1.0))),
    "outliers": Case("Student-t", (31, 33), ("Gaussian", 3.0), disc(0.8), departures=frozenset({"student"})),
    "lensed": Case("SIE", (35, 37), ("Gaussian", 2.5), disc(0.25), 0.1, departures=frozenset({"sie"})),
    "map": Case("deflection map, picture", (35, 37), ("Gaussian", 3.0), disc(0.3), 0.1, departures=frozenset({"map"})),
    "bands": Case("two bands", (29, 33), ("Gaussian", 3.0), disc(0.8, lights=("halpha", "stars"))),
    "function": Case("a user's function", (31, 33), ("Gaussian", 3.0), disc(0.9, profile=broken(0.9))),
    "numpyro": Case("a user's NumPyro model", (31, 33), ("Gaussian", 3.0), disc(0.8)),
}
IN_PYTHON = ("function", "numpyro")
"""Cases that a script fits (`zoo_python.py`), not the command."""
LENS = {"theta_e": 0.8, "q": 0.75, "pa": 25.0, "x0": 0.031, "y0": -0.017}


def drawn(prior: Any, random: np.random.Generator) -> Any:
    """A draw of a table of priors."""
    if not isinstance(prior, dict):
        return prior
    if "dist" not in prior:
        return {key: drawn(one, random) for key, one in prior.items()}
    name, rest = prior["dist"], {k: v for k, v in prior.items() if k not in ("dist", "tied")}
    draws: dict[str, Callable[..., float]] = {
        "Normal": lambda loc, scale: random.normal(loc, scale),
        "LogNormal": lambda loc, scale: float(np.exp(random.normal(loc, scale))),
        "Uniform": lambda low, high: random.uniform(low, high),
        "HalfNormal": lambda scale: abs(random.normal(0.0, scale)),
    }
    return float(draws[name](**rest))


def metallicity(profile: Table) -> Any:
    """A profile of the TOML as a function of the disc's plane."""

    def at(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        p, r = profile, np.hypot(u, v)
        if p["type"] == "Sum":
            return sum(metallicity(part)(u, v) for part in p["parts"].values())
        if p["type"] == "Constant":
            return p["value"] + 0.0 * r
        if p["type"] == "Gradient":
            return p["central"] + p["slope"] * r
        if p["type"] == "BrokenGradient":
            inside = np.minimum(r, p["r_break"])
            return p["central"] + p["inner"] * inside + p["outer"] * (r - inside)
        core = np.hypot(r, p["r_core"])
        turn = np.arctan2(v, u) - np.deg2rad(p["phase"]) - np.log(core) / np.tan(np.deg2rad(p["pitch"]))
        width = p["m"] * np.deg2rad(p["width"])
        return p["amplitude"] * (r / core) ** 2 * np.exp((np.cos(p["m"] * turn) - 1.0) / width**2)

    return at


def parts(sources: Table, light: str) -> list[Part]:
    """Sources with numbers as what the renderer takes."""
    made = []
    for source in sources.values():
        frame = {k: v for k, v in source["frame"].items() if k != "type"}
        one = dict(source["lights"][light])
        one = {"n": 0.5 if one.pop("type") == "Gaussian" else 1.0, **one}
        carried = metallicity(source["carries"]["metallicity"]["profile"])
        made.append(Part(light=profiles.Sersic(**frame, **one), metallicity=carried))
    return made


def write(case: Case, seed: int, folder: Path) -> Table:
    """Writes data, `fit.toml` and `truth.json`, and returns the truth: path of a parameter -> number."""
    random = np.random.default_rng([seed, *case.label.encode()])
    priors = json.loads(json.dumps(case.sources))
    sources = drawn(priors, random)
    if "flat" in case.departures:
        sources["disc"]["carries"]["metallicity"]["profile"]["slope"] = 0.0
    extra = _Extra(case, random, folder)
    seen = {name: render(case.frame, parts(sources, name), extra.deflection) for name in extra.lights}
    seen["halpha"] = dataclasses.replace(seen["halpha"], labels=extra.labels(seen["halpha"]))
    observations = {"metallicity": extra.map(seen["halpha"])}
    if "map" in case.departures:
        extra.picture(render, parts(sources, "halpha"), priors)
    else:
        observations |= {name: extra.image(name, one) for name, one in seen.items()}
    content = {"fit": {"seed": seed}, "observations": observations, "sources": priors, **extra.lens}
    (folder / "fit.toml").write_text("\n".join(toml(content)) + "\n")
    (folder / "truth.json").write_text(json.dumps(sources))
    return {f"scene.sources.{k}": v for k, v in flat(sources).items()}


class _Extra:
    """Data of one case, with its departures."""

    def __init__(self, case: Case, random: np.random.Generator, folder: Path) -> None:
        self.case, self.random, self.folder = case, random, folder
        self.lights = sorted({name for source in case.sources.values() for name in source["lights"]})
        lensed = case.departures & {"sie", "map"}
        self.deflection = sie(**LENS) if lensed else None
        self.lens: Table = {"lens": {"galaxy": {"type": "SIE", **LENS}}} if "sie" in case.departures else {}
        kind, width, *rest = case.psf
        self.psf: Table = {"type": kind, "fwhm": width * case.pixel, **({"beta": rest[0]} if rest else {})}
        if kind == "Halo":
            fits.writeto(folder / "psf.fits", case.frame.psf.table(5))
            self.psf = {"type": "Kernel", "file": "psf.fits", "includes_pixel": False, "oversampling": 5}
        self.tie = {"tied": "seeing", **lognormal(width * case.pixel, 0.1)} if "seeing" in case.departures else None

    def _psf(self) -> Table:
        """Of one observation more: a tie has its prior where it stands first."""
        if self.tie is None:
            return self.psf
        tie, self.tie = self.tie, {"tied": "seeing"}
        return {**self.psf, "fwhm": tie}

    def labels(self, seen: Seen) -> np.ndarray | None:
        """Cells about points that crowd where there is light; a stand-in for a Voronoi tessellation."""
        if "bins" not in self.case.departures:
            return None
        bright = seen.light / seen.light.max()
        chosen = self.random.choice(bright.size, 150, replace=False, p=(bright**0.5 / (bright**0.5).sum()).ravel())
        rows, columns = np.unravel_index(np.arange(bright.size), bright.shape)
        away = np.hypot(rows[:, None] - rows[chosen], columns[:, None] - columns[chosen])
        labels = np.where(bright.ravel() > 0.01, np.argmin(away, axis=1), -1)
        return np.unique(labels, return_inverse=True)[1].reshape(bright.shape) - int((labels < 0).any())

    def map(self, seen: Seen) -> Table:
        """[observations.metallicity]."""
        asked = self.case.departures
        sigma = self.case.noise * np.sqrt(seen.light.max() / np.maximum(seen.light, 1e-3 * seen.light.max()))
        used = seen.light > 0.03 * seen.light.max()
        scatter = self.random.normal(size=self.case.shape)
        table: Table = {"kind": "map", "mixing": "Dex", "psf": self._psf()}
        if seen.labels is not None:
            used = seen.labels >= 0
            scatter, sigma = self.random.normal(size=used.sum())[seen.labels], np.full(used.shape, self.case.noise)
            fits.writeto(self.folder / "bins.fits", seen.labels.astype(np.int32), header=self._header())
            table["bins"] = "bins.fits"
        if "smooth" in asked:
            step = np.arange(-6, 7)
            kernel = np.exp(-0.5 * np.add.outer(step**2, step**2) / (2.0 / 2.3548) ** 2)
            wide = self.random.normal(size=[n + 12 for n in self.case.shape])
            windows = np.lib.stride_tricks.sliding_window_view(wide, kernel.shape)
            scatter = np.einsum("ijkl,kl->ij", windows, kernel) / np.sqrt((kernel**2).sum())
            table["noise"] = {"type": "EffectiveSamples", "correlated_pixels": 9.1, "noise": {"type": "Gaussian"}}
        if "student" in asked:
            scatter = self.random.standard_t(3.0, size=self.case.shape)
            table["noise"] = {"type": "StudentT", "nu": 3.0}
        spread = sigma
        if "jitter" in asked:
            prior = {"dist": "HalfNormal", "scale": 0.05}
            spread = np.hypot(sigma, drawn(prior, self.random))
            table["noise"] = {"type": "Gaussian", "jitter": prior}
        values = np.where(used, seen.metallicity + spread * scatter, np.nan)
        return {**table, **self._written("metallicity", values, sigma)}

    def image(self, name: str, seen: Seen) -> Table:
        """[observations.NAME], a flux of S/N 50 at the peak."""
        sigma = np.full(self.case.shape, seen.light.max() / 50.0)
        table: Table = {"kind": "image", "light": name, "psf": self._psf()}
        level = 0.0
        if "sky" in self.case.departures:
            prior = normal(0.0, 0.1)
            level, table["sky"] = drawn(prior, self.random), {"level": prior}
        values = seen.light + level + sigma * self.random.normal(size=self.case.shape)
        return {**table, **self._written(name, values, sigma)}

    def picture(self, rendered: Any, seen: list[Part], priors: Table) -> None:
        """A sharper picture of the lensed light, and the deflection as maps."""
        ny, nx = (2 * n for n in self.case.shape)
        frame = Frame((ny, nx), 0.5 * self.case.pixel, PSFS["Gaussian"](2.0))
        light = rendered(frame, seen, self.deflection).light
        light = light + light.max() / 200.0 * self.random.normal(size=light.shape)
        fits.writeto(self.folder / "picture.fits", light / frame.pixel**2, header=self._header(frame))
        alpha = self.deflection(*frame.centres())
        for axis, values in zip("xy", alpha, strict=True):
            fits.writeto(self.folder / f"alpha_{axis}.fits", values, header=self._header(frame))
        blur = {"type": "Gaussian", "fwhm": 2.0 * frame.pixel}
        priors["disc"]["lights"] = {
            "halpha": {"type": "Picture", "file": "picture.fits", "plane": "image", "psf": blur}
        }
        maps = {"x": "alpha_x.fits", "y": "alpha_y.fits", "z_lens": 0.3, "z_map": "source"}
        self.lens = {
            "galaxy": {"z": 1.0},
            "lens": {"galaxy": {"type": "Tabulated", **maps, "ignore_unit": True}},
        }

    def _written(self, name: str, values: np.ndarray, sigma: np.ndarray) -> Table:
        for key, array in (("", values), ("_sigma", sigma)):
            fits.writeto(self.folder / f"{name}{key}.fits", array, header=self._header())
        return {"data": f"{name}.fits", "sigma": f"{name}_sigma.fits"}

    def _header(self, frame: Frame | None = None) -> fits.Header:
        frame = frame or self.case.frame
        ny, nx = frame.shape
        step = frame.pixel / 3600.0
        cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CUNIT1": "deg"}
        cards |= {"CUNIT2": "deg", "CRPIX1": (nx + 1) / 2, "CRPIX2": (ny + 1) / 2, "CDELT1": -step, "CDELT2": step}
        return fits.Header(cards)


def flat(table: Table, path: str = "") -> Table:
    """Numbers by their path."""
    found = {}
    for key, one in table.items():
        where = f"{path}.{key}" if path else key
        found |= flat(one, where) if isinstance(one, dict) else {where: one}
    return found


def toml(content: Table) -> list[str]:
    """A nested table as TOML: tables of tables as headers, their leaves in line."""
    return [f"{key} = {_inline(one)}" for key, one in content.items()] if content else []


def _inline(one: Any) -> str:
    if isinstance(one, dict):
        return "{" + ", ".join(f"{key} = {_inline(value)}" for key, value in one.items()) + "}"
    return json.dumps(one)
