"""Power cuts of the real program.

`traffic` runs a server under a library that records every change of its files (test/preload/record.c), and
adds to the record what clients were told. `disk` makes from any position of a record what a power cut
at that moment could have left on the disk. `judge` starts the program on it and asks whether all that
was promised by then is there. `cut` is the command line.
"""
