"""What is refused at the edge, in one place: input that cannot be used, said in one sentence, and what checks noticed.

- `errors`: `InputError`, the one exception: which input, what was expected, what was found, what to do;
- `findings`: what is merely suspicious, by severity, and reports of it;
- `arrays`: arrays, masks, grids, counts and errors that users hand over;
- `columns`: 1-D arrays that belong together;
- `ranges`: fixed numbers outside the range that their field declares.

May import: numerics. To refuse something new: a function with the one rule and its sentence, used by every room that
refuses it, and a case in its test. Nothing here looks at a galaxy, a file or a posterior.
"""
