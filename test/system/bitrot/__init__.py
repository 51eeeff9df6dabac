"""Thousands of bits that flip and sectors that are zeroed, in every kind of file of a data directory.

A data directory is made once (origin.py): log tables, a primary-key table with its state and its
snapshots, catalog, indexes, checkpoints, of a server that has stopped. Each round damages a copy of it,
has `eider verify` look for the damage, starts a server on the copy and judges all that it serves
(rot.py), byte by byte. A round has many damages, of which each must be found and none may cost more than
what it hit: of files that nobody needs to serve records at most one each, in logs some kilobytes apart, of the
catalog one.

`make bitrot FLIPS=... SECTORS=... SEED=...` is the long form.
"""
