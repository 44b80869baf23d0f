"""``python -m diptych`` does what ``diptych`` does."""

from diptych.cli import main

if __name__ == "__main__":
    main(prog_name="diptych")
