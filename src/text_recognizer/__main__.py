"""`python -m text_recognizer`, the same as `text-recognizer`."""

from text_recognizer.cli import main

if __name__ == "__main__":
    main()
