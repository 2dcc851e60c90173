"""What is refused at the edge, in one place: input that cannot be used, said in one sentence, and what checks noticed.

- `errors`: `InputError`, the one exception: which input, what was expected, what was found, what to do;
- `findings`: what is merely suspicious, by severity, and reports of it;
- `arrays`: arrays, masks, grids and counts that users hand over;
- `names`: names that users give, which become those of files and of groups in them; `galaxy_names`: those of galaxies;
- `noise`: sigma, variance or inverse variance, exactly one, and positive where there are data;
- `bins`: maps of labels, and one value per bin;
- `data`: data that a fit can use;
- `columns`: 1-D arrays that belong together;
- `physical`: data beyond what is physical, and numbers that stand for none;
- `plausible`: what can hardly be right: blurs, angles and maps that what was seen speaks against;
- `ranges`: fixed numbers outside the range that their field declares;
- `progress`: what is said while people wait; `signals`: of those that end a process, which have to wait;
- `writing`: files that are complete or absent, and why they cannot be written.

May import: numerics; tqdm. To refuse something new: a function with the one rule and its sentence, used by every room
that refuses it, and a case in its test. Nothing here looks at a galaxy, into a file or at a posterior.
"""
