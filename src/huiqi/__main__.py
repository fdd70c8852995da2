"""`python -m huiqi` is the command `huiqi`."""

from huiqi.cli.main import main

if __name__ == "__main__":
    main()
