"""Which numbers of a request may go on to the books?

The books count in 63 bits, and an answer that holds everything is no page.
"""

from huiqi.evidence.errors import UnknownEntry

MOST_AT_ONCE = 1_000
# One more still fits into the 63 bits of an entry's number.
HIGHEST = 2**62
LONGEST_DIGITS = 18


def most_of(limit: int) -> int:
    """How many documents one answer holds at the most: 0 to 1000.

    >>> most_of(-1), most_of(50), most_of(10**30)
    (0, 50, 1000)
    """
    return max(0, min(limit, MOST_AT_ONCE))


def within(number: int) -> int:
    """The nearest number that an entry can have.

    >>> within(-5), within(10**30) == HIGHEST
    (0, True)
    """
    return max(0, min(number, HIGHEST))


def number_of(text: str) -> int | None:
    """A whole number written in plain digits, None for anything else.

    >>> number_of("17"), number_of("²"), number_of("9" * 40), number_of("-1")
    (17, None, None, None)
    """
    plain = text.isascii() and text.isdigit() and len(text) <= LONGEST_DIGITS
    return int(text) if plain else None


def entry_number(seq: int) -> int:
    """``seq`` itself.

    Raises:
        UnknownEntry: no log is that long.
    """
    if seq > HIGHEST:
        raise UnknownEntry(what=str(seq)[:40])
    return seq
