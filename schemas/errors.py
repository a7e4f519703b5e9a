"""The one exception a user meets: something to correct outside the program."""

from collections.abc import Iterable
from difflib import get_close_matches


class Unusable(Exception):
    """Input or arguments that cannot be used. The message is Chinese and complete; exit code 2."""


def closest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known words nearest to `word`, best first, two swapped letters before all; empty when none is near."""
    words = list(known)
    near = get_close_matches(word, words, n=count, cutoff=0.4 if count == 1 else 0.1)
    swaps = {word[:at] + word[at : at + 2][::-1] + word[at + 2 :] for at in range(len(word) - 1)}
    swapped = [one for one in words if one in swaps]
    return list(dict.fromkeys([*swapped, *near]))[:count]


def did_you_mean(word: str, known: Iterable[str], count: int = 1) -> str:
    """`，是否为「…」？` with the nearest known words, or nothing."""
    near = closest(word, known, count)
    return "，是否为" + "、".join(f"「{name}」" for name in near) + "？" if near else ""
