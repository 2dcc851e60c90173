"""Array tools that know nothing of galaxies. Imports: jax and numpy only."""
