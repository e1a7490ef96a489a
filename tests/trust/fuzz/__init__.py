"""Spoilt inputs by volume (`make fuzz`): one file a family of kinds, which says how an input that
is in order is made, how it is spoilt, and by which of the product's own functions it is read.

None may end in anything but an error of ours with one line, take more than ten seconds or 2 GB,
leave a descriptor open, or make or change a file outside its own folder.
"""
