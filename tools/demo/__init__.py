"""Makes assets/demo_faces.mp4: four public-domain portraits, warped into moving faces.

`python -m tools.demo` needs what `make test` installs, and for the portraits scikit-image (pip) and
FreeCol (Debian's package `freecol`). It takes two to five minutes.
"""
