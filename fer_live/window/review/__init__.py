"""The tab Review: the list of recordings, one of them played beside what was read in it, its
markers, and what is made of it.

`review_page` joins the pieces, one file each. May import what the window may; the other folders of
the window know `review_page` alone, and `actions` its list of keys.
"""
