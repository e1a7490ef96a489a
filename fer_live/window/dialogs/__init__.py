"""Windows of their own: settings, data out, and the help sheet."""
