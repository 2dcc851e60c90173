"""Families of multiple images behind a small cluster, and their density in plain numpy, for tests."""

import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm

RATIOS = {"a": 1.0, "b": 0.8}
HALO = {"theta_e": 10.0, "q": 0.7, "pa": 30.0, "x0": 0.0, "y0": 0.0}
# Images of sources at (0.8, 0.5) and (-0.3, 1.0), to 0.1 arcsec.
FAMILY = list("aaaabbbb")
X = np.array([-9.7, -5.1, 11.1, 0.6, 6.4, -1.3, -8.6, 2.6])
Y = np.array([-2.0, 8.2, 3.1, -9.2, 6.3, 8.7, 1.3, -6.5])
SIGMA = np.linspace(0.05, 0.2, 8)
STENCIL = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
STEP = 1e-4


def cluster(**halo):
    """An ellipsoid, a shear and a galaxy."""
    return {
        "halo": jm.lens.SIE(**{**HALO, **halo}),
        "shear": jm.lens.Shear(gamma1=0.05, gamma2=-0.02),
        "galaxy": jm.lens.SIS(theta_e=0.5, x0=4.0, y0=5.0),
    }


def families(**fields):
    """The observation."""
    known = {"sigma": SIGMA, "distance_ratio": RATIOS, **fields}
    return jm.recipes.multiple_images(FAMILY, X, Y, **known)


def prior():
    """A scene of which little is known."""
    return jm.Scene(
        sources={}, lens=cluster(theta_e=dist.Uniform(7.0, 13.0), q=dist.Uniform(0.4, 1.0), pa=dist.Normal(20.0, 30.0))
    )


def by_numpy(images, lens, *, sign=1.0, ratios=RATIOS, with_determinant=True):
    """ln of the marginal density, from alpha alone: Jacobians by differences, sources by adding inverse covariances."""
    total = 0.0
    for name in images.families:
        here = np.asarray(images.family) == images.families.index(name)
        weights, means, norm = [], [], 0.0
        for theta, sigma in zip(np.asarray(images.data).T[here], np.asarray(images.noise.sigma).T[here], strict=True):
            beta, jacobian = traced(lens, theta, sign * ratios[name])
            weights.append(np.linalg.inv(jacobian @ np.diag(sigma**2) @ jacobian.T))
            means.append(beta)
            norm += np.log(2.0 * np.pi) + np.sum(np.log(sigma))
        whole = np.sum(weights, axis=0)
        mean = np.linalg.solve(whole, sum(w @ m for w, m in zip(weights, means, strict=True)))
        total += -0.5 * sum((m - mean) @ w @ (m - mean) for w, m in zip(weights, means, strict=True)) - norm
        if with_determinant:
            total += np.log(2.0 * np.pi) - 0.5 * np.linalg.slogdet(whole)[1]
    return total


def traced(lens, theta, ratio=1.0):
    """beta and d beta / d theta at a point."""
    at = theta + STEP * STENCIL
    beta = at - ratio * deflected(lens, at)
    return beta[0], np.stack([beta[1] - beta[2], beta[3] - beta[4]], axis=1) / (2.0 * STEP)


def deflected(lens, theta):
    """alpha at points (n, 2), arcsec."""
    return np.sum([np.stack(one(*theta.T), axis=-1) for one in lens.values()], axis=0)
