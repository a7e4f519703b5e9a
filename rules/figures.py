"""Hold a policy text against the catalogue: each figure of an article is a term, explained, or not recorded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter, ValidationError, field_validator

from rules.catalogue import HERE, Catalogue
from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.model import Item
from rules.numbers import brief
from rules.pages.words import term_name
from rules.terms import Ladder, Strict, values
from schemas.errors import Unusable

COVERED, EXPLAINED, UNCOVERED, ABSENT = KINDS = ("已收录", "已说明", "未收录", "目录有而文中无")
AROUND = 0  # in place of an article's number: what stands before the first article and after the last
CONTEXT = 12

_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，；"}
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_WORD = "[一二两三四五六七八九十][一二两三四五六七八九十百千零〇]*"
_FIGURE = re.compile(
    rf"""(?<![第A-Za-z\d.])(?:
      (?P<date>(?:\d{{4}}\s*年\s*)?\d{{1,2}}\s*月(?:\s*\d{{1,2}}\s*日)?)
    | 百分之\s*(?P<percent>\d+(?:\.\d+)?|{_WORD})
    | (?P<number>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?
        # a number in words counts where a unit follows, but not 一个, 上一年度, 第三年
        |(?<![上下同数几])(?!一[家个名项人户]){_WORD}(?=[万亿]*(?:[美欧]?元|个月|年(?!度)|[家个名项倍人户])))\s*
      (?::\s*(?P<to>[1-9]\d*)|(?P<scale>[十百千万亿]*)\s*
        (?P<unit>[美欧]元|%|个?百分点|个月|平方公?[里米]|(?![号至到和或及与])[一-鿿])?)
    )""",
    re.VERBOSE,
)
_RANGE = re.compile(r"\s*[~\-—–至到、和或及与/]{1,2}\s*")
_HEADINGS = [re.compile(rf"^\s*第?\s*({n})\s*(?:[.、]|条)(?!\d)", re.MULTILINE) for n in (r"\d{1,2}", _WORD)]
_CLOSING = re.compile(r"^\s*本(?:文件|政策|措施|意见|办法|细则|规定|通知)", re.MULTILINE)


@dataclass(frozen=True)
class Figure:
    """A figure: as written, its unit, the values it may have as a term (3年 also 36), the words around it."""

    text: str
    unit: str
    may_be: frozenset[Decimal | str]
    context: str


class Explained(Strict):
    """A figure of an article that is no term, or a term that its article has no figure for, and why."""

    figure: str
    why: str

    @field_validator("figure")
    @classmethod
    def _is_one_figure(cls, value: str) -> str:
        if len(figures(value)) != 1:
            raise ValueError(f"「{value}」应是一个带单位的数字，如 500家、6%、3年")
        return value


def read_text(path: Path) -> str:
    """A policy text, its full-width digits and signs made narrow. Raises Unusable where it is no text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"不能读取「{path}」，请检查文件名、位置和权限") from error
    if b"\0" in content or content.startswith((b"PK", b"%PDF", b"{\\rtf")):
        raise Unusable(f"「{path}」不是纯文本。请在 Word 或 WPS 中另存为「纯文本（.txt）」。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return re.sub(r"\[bookmark:[^\]]*\]", "", content.decode(encoding)).translate(_NARROW)
        except UnicodeDecodeError:
            continue
    raise Unusable(f"「{path}」的编码既不是 UTF-8 也不是 GB18030，不能读取。请另存为 UTF-8 的纯文本。")


def articles(text: str) -> dict[int, str]:
    """The text by article number, and the rest under AROUND. Raises Unusable where no article is found."""
    marks = max((_ascending(pattern, text) for pattern in _HEADINGS), key=len)
    if not marks:
        raise Unusable("没有找到条款：每条应另起一行，以「1.」「一、」或「第一条」开头")
    last, _, start = marks[-1]
    closing = _CLOSING.search(text, start)
    end = closing.start() if closing else len(text)
    ends = [begin for _, begin, _ in marks[1:]] + [end]
    found = {number: text[begin:stop] for (number, _, begin), stop in zip(marks, ends, strict=True)}
    return found | {AROUND: text[: marks[0][1]] + "\n" + text[end:]}


def _ascending(pattern: re.Pattern[str], text: str) -> list[tuple[int, int, int]]:
    """(number, start, end) of the headings that count upwards: a list inside an article begins again at 1."""
    found: list[tuple[int, int, int]] = []
    for match in pattern.finditer(text):
        number = int(_parsed(match[1]))
        if number > (found[-1][0] if found else 0):
            found.append((number, match.start(), match.end()))
    return found


def _parsed(word: str) -> Decimal:
    """`二十三` or `1,000.5` as a number."""
    if word[0].isdecimal():
        return Decimal(word.replace(",", ""))
    total = digit = 0
    for sign in word:
        if sign in _SCALES:
            total, digit = total + (digit or 1) * _SCALES[sign], 0
        else:
            digit = _DIGITS[sign]
    return Decimal(total + digit)


def figures(text: str) -> list[Figure]:
    """Every amount, rate, ratio, date and count with a unit, in order; in `6-15%` both have the unit."""
    found: list[Figure] = []
    follows, scale, unit = len(text), "", ""  # of the figure after the one at hand
    for match in reversed(list(_FIGURE.finditer(text))):
        after, shared, named = follows, scale, unit
        parts = {name: part or "" for name, part in match.groupdict().items()}
        follows, scale, unit = match.start(), parts["scale"], parts["unit"]
        written = re.sub(r"\s", "", match[0])
        if parts["date"] or parts["to"]:
            unit = written
        elif parts["percent"]:
            unit = "%"
        elif not unit and _RANGE.fullmatch(text, match.end(), after):
            written = f"{written}{'' if scale else shared}{named}"
            scale, unit = scale or shared, named
        if not (scale or unit):
            continue
        value = _parsed(parts["number"] or parts["percent"] or "0")
        for sign in scale:
            value *= _SCALES[sign]
        may_be = _may_be(value, int(parts["to"] or 0), unit) if not parts["date"] else frozenset()
        room = max(CONTEXT - len(written), 4)
        context = text[max(follows - room * 2 // 3, 0) : match.end() + room // 3]
        found.append(Figure(written, unit, may_be or frozenset({written}), re.sub(r"\s", "", context)))
    return found[::-1]


def _may_be(value: Decimal, to: int, unit: str) -> frozenset[Decimal | str]:
    """The values a figure may have as a term: a rise of 20% is also a factor, 1:2 is 2; none for a year."""
    if to and value:
        return frozenset({to / value, value / to})
    if unit == "年" and value >= 1900:
        return frozenset()
    if unit in ("美元", "欧元"):
        return frozenset({_foreign(value, unit)})
    if unit in ("%", "百分点", "个百分点"):
        return frozenset({value / 100, 1 + value / 100})
    return frozenset({value, {"年": value * 12, "个月": value / 12, "倍": value + 1}.get(unit, value)})


def _foreign(value: Decimal, unit: str) -> str:
    """Foreign money is never converted, nor taken for yuan."""
    return f"{value.normalize():f}{unit}"


def _recorded(item: Item) -> Iterator[tuple[str, Decimal | str]]:
    """Each figure of an item's terms, in words and as a value; 0 and 1 are switches, not figures."""
    for name, term in item.terms.items():
        for value in [*values(term), *(term.ladder if isinstance(term, Ladder) else ())]:
            if value not in (0, 1):
                foreign = name.endswith("_usd")
                yield (
                    f"{item.id} 的{term_name(name)} {brief(value)}",
                    _foreign(value, "美元") if foreign else value,
                )


def load_explained(path: Path = HERE / "figures.yaml") -> dict[str, dict[int, list[Explained]]]:
    """The explained figures by policy and article. Raises RuleError where the file does not fit."""
    try:
        return TypeAdapter(dict[str, dict[int, list[Explained]]]).validate_python(read_yaml(path))
    except ValidationError as error:
        raise RuleError(explain_invalid(error, path.name)) from error


Compared = dict[int, list[tuple[str, str]]]


def compare(law: Catalogue, policy: str, text: str, explained: Mapping[int, Sequence[Explained]]) -> Compared:
    """(kind, words) of every figure and absent term, by article; last what stands outside the articles."""
    bodies = articles(text)
    items: dict[int, list[Item]] = {number: [] for number in bodies}
    for item in law.items.values():
        if item.policy == policy:
            items.setdefault(item.article, []).append(item)
    left_out = not_in_excerpt(law, policy, text)
    numbers = [*sorted((bodies.keys() | items.keys()) - {AROUND} - set(left_out)), AROUND]
    return {n: _compare(figures(bodies.get(n, "")), items.get(n, []), explained.get(n, ())) for n in numbers}


def not_in_excerpt(law: Catalogue, policy: str, text: str) -> list[int]:
    """The catalogue's articles that an excerpt leaves out; of a text with most of them it lacks none."""
    here = articles(text).keys() - {AROUND}
    lacking = {item.article for item in law.items.values() if item.policy == policy} - here
    return sorted(lacking) if len(lacking) > len(here) else []


def _compare(
    found: Sequence[Figure], items: Sequence[Item], notes: Sequence[Explained]
) -> list[tuple[str, str]]:
    lines = []
    recorded = [(item.id, words, value) for item in items for words, value in _recorded(item)]
    reasons = {(f.unit, f.may_be): note.why for note in notes for f in figures(note.figure)}
    for figure in found:
        why = reasons.get((figure.unit, figure.may_be))
        if holders := [key for key, _, value in recorded if value in figure.may_be]:
            times = sum(other.may_be == figure.may_be for other in found)
            odd = f"；文中{times}次、目录{len(holders)}处" if times != len(holders) else ""
            lines.append((COVERED, f"{figure.text}（{'、'.join(dict.fromkeys(holders))}{odd}）"))
        elif why:
            lines.append((EXPLAINED, f"{figure.text}：{why}"))
        else:
            lines.append((UNCOVERED, f"{figure.text}：…{figure.context}…"))
    known = {value for may_be in [*(f.may_be for f in found), *(m for _, m in reasons)] for value in may_be}
    return lines + [(ABSENT, words) for _, words, value in recorded if value not in known]


def count(compared: Compared) -> list[int]:
    """How many lines there are of each kind."""
    kinds = [kind for lines in compared.values() for kind, _ in lines]
    return [kinds.count(kind) for kind in KINDS]


def guess(law: Catalogue, text: str) -> str:
    """The policy that has most of the text's figures. Raises Unusable where none has a third of them."""
    shares: dict[str, float] = {}
    for policy in law.policies:
        covered, _, uncovered, _ = count(compare(law, policy, text, {}))
        shares[policy] = covered / max(covered + uncovered, 1)
    best = max(shares, key=lambda policy: shares[policy])
    if shares[best] < 1 / 3:
        raise Unusable(
            f"看不出是哪一份政策的文本，请用 --policy 指定：{'、'.join(law.policies)}；目录只收这几份，其他文件不能对照"
        )
    return best


def checked(law: Catalogue, path: Path, policy: str | None = None) -> tuple[list[str], bool]:
    """The report on a text, and whether nothing is uncovered or absent. Without `policy` it is guessed.

    Raises Unusable for a file that is no policy text, and for a policy that is not in the catalogue.
    """
    text = read_text(path)
    key = policy.strip().upper() if policy else guess(law, text)
    if key not in law.policies:
        raise Unusable(f"没有政策「{policy}」，可选：{'、'.join(law.policies)}")
    compared = compare(law, key, text, load_explained().get(key, {}))
    how = "" if policy else "（按数字推断，可用 --policy 指定）"
    _, _, uncovered, absent = count(compared)
    heading = [f"对照政策 {key}：{law.policies[key].title}{how}"]
    lacking = not_in_excerpt(law, key, text)
    if lacking:
        heading.append(f"文中没有第{'、'.join(map(str, lacking))}条，目录中这些条的数字没有核对")
    return [*heading, *report(compared)], not uncovered + absent


def report(compared: Compared) -> list[str]:
    """The comparison in words: each article's figures, then the counts by article and in total."""
    names = {number: "条款以外" if number == AROUND else f"第{number}条" for number in compared}
    report = []
    for number, lines in compared.items():
        covered = "、".join(dict.fromkeys(words for kind, words in lines if kind == COVERED))
        report.append(
            names[number] + (f"　{COVERED} {covered}" if covered else "" if lines else "　没有数字")
        )
        report += [f"  {kind} {words}" for kind, words in lines if kind != COVERED]
    rows = [(names[n], count({n: lines})) for n, lines in compared.items()] + [("合计", count(compared))]
    report += ["", " " * 10 + "　".join(KINDS)]
    for name, counts in rows:
        width = len(name) + sum(not sign.isascii() for sign in name)
        report.append(name + " " * (10 - width) + "  ".join(f"{n:>6}" for n in counts))
    return report
