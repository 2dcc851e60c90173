"""Independent answers for the light-weighted operator: numpy and scipy only, nothing from the package under test.

`operator` integrates light through a PSF into pixels, `profiles` holds light and PSFs, `cases` names the grid of cases,
`make` writes and checks `answers.npz`, `frapy` is the unweighted operator of Patricio et al. 2019 on the real arcs.
"""
