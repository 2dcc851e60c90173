"""The Gibbs sampler of Kelly (2007, sect. 6.1), in numpy alone: an independent reference for the regression."""

import numpy as np


def gibbs(x, y, x_error, y_error, *, components=3, steps=20_000, burn=2_000, seed=0):
    """Draws (steps, 3) of intercept, slope and intrinsic standard deviation; errors of x and y are independent."""
    random = np.random.default_rng(seed)
    n, vx, vy = len(x), x_error**2, y_error**2
    beta, alpha = np.polyfit(x, y, 1)
    sigma2 = np.var(y - alpha - beta * x)
    mu0, w2, u2 = x.mean(), x.var(), x.var()
    mu = random.normal(mu0, np.sqrt(u2), components)
    tau2, pi = np.full(components, x.var()), np.full(components, 1.0 / components)
    label = random.integers(components, size=n)
    kept = np.empty((steps, 3))
    for step in range(burn + steps):
        # True x and y of every galaxy, given their errors, the line and the mixture (his steps 2 to 6).
        precision = 1.0 / vx + beta**2 / (sigma2 + vy) + 1.0 / tau2[label]
        mean = (x / vx + beta * (y - alpha) / (sigma2 + vy) + mu[label] / tau2[label]) / precision
        xi = random.normal(mean, 1.0 / np.sqrt(precision))
        precision = 1.0 / vy + 1.0 / sigma2
        eta = random.normal((y / vy + (alpha + beta * xi) / sigma2) / precision, 1.0 / np.sqrt(precision))
        # Which component each galaxy belongs to.
        log_p = np.log(pi) - 0.5 * np.log(tau2) - 0.5 * (xi[:, None] - mu) ** 2 / tau2
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        label = (np.cumsum(p, axis=1) < random.random((n, 1)) * p.sum(axis=1, keepdims=True)).sum(axis=1)
        # The line, flat in its coefficients, and the scatter, flat in its variance.
        design = np.stack([np.ones(n), xi], axis=1)
        inverse = np.linalg.inv(design.T @ design)
        alpha, beta = random.multivariate_normal(inverse @ design.T @ eta, sigma2 * inverse)
        sigma2 = np.sum((eta - alpha - beta * xi) ** 2) / random.chisquare(n - 2)
        # The mixture.
        counts = np.bincount(label, minlength=components)
        pi = random.dirichlet(1.0 + counts)
        for k in range(components):
            inside = xi[label == k]
            precision = 1.0 / u2 + counts[k] / tau2[k]
            mu[k] = random.normal((mu0 / u2 + inside.sum() / tau2[k]) / precision, 1.0 / np.sqrt(precision))
            tau2[k] = (w2 + np.sum((inside - mu[k]) ** 2)) / random.chisquare(1 + counts[k])
        mu0 = _truncated(random, mu.mean(), np.sqrt(u2 / components), x.min(), x.max())
        u2 = (w2 + np.sum((mu - mu0) ** 2)) / random.chisquare(components + 1)
        # p(w2 | .) ~ w^(K+1) exp(-w2 (1/u2 + sum 1/tau2) / 2).
        w2 = random.gamma(0.5 * (components + 3), 2.0 / (1.0 / u2 + np.sum(1.0 / tau2)))
        if step >= burn:
            kept[step - burn] = alpha, beta, np.sqrt(sigma2)
    return kept


def _truncated(random, mean, sd, low, high):
    """A normal deviate within [low, high], by rejection."""
    for _ in range(1000):
        value = random.normal(mean, sd)
        if low <= value <= high:
            return value
    raise RuntimeError("the mixture's centre left the data")
