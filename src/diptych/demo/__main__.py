"""``python -m diptych.demo`` does what ``diptych demo`` does."""

from diptych.demo.cli import main

if __name__ == "__main__":
    main()
