"""Array tools that know nothing of galaxies. Imports: jax, numpy and, for chains, arviz-stats only."""
