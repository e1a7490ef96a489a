"""Parts of a page that paint something: the picture, the followed face, the timeline."""
