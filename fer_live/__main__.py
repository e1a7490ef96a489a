"""`python -m fer_live` is `fer-live`."""

from fer_live.commands.cli import main

if __name__ == "__main__":
    main()
