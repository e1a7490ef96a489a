"""Data sets in their official layouts, one file each, and the augmentation of their images."""
