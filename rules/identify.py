"""Find the item and level that a row means: by item id, or by the name of a certification."""

from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.model import Item
from rules.placing import with_found
from rules.terms import ByLevel, Ladder
from schemas.errors import closest
from schemas.labels import filled, plain, plain_column
from schemas.registries import REGISTRIES
from schemas.validate import FAULTS

_EVENTS = {"新认定": "新认定", "再次认定": "再次认定", "重新认定": "再次认定", "整体迁入": "整体迁入"}


def needs_level(item: Item) -> bool:
    """Whether a row must state its level: some amount differs between levels."""
    return any(
        (isinstance(term, ByLevel) and len(set(term.level.values())) > 1)
        or (isinstance(term, Ladder) and item.registry != "equipment")
        for term in item.terms.values()
    )


def identify(name: str, frame: pl.DataFrame, law: Catalogue) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`frame` with `item` and `level` as the catalogue spells them, and the faults in the shape FAULTS.

    Applies to registries whose rows name an item. Rows with a fault keep their words.
    """
    if "item" not in frame.columns:
        return frame, pl.DataFrame(schema=FAULTS)
    rows = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    faults: list[pl.DataFrame] = []
    if "certification" in frame.columns:
        rows, faults = _by_name(rows, law)
    faults += [_unknown_items(rows, law), _wrong_registry(name, rows, law)]
    rows = _with_level(rows, law)
    faults += _level_faults(name, rows, law)
    found = rows.with_columns(level=pl.col("_level")).select(frame.columns)
    return found, pl.concat(faults)


def _fault(rows: pl.DataFrame, column: str, reason: pl.Expr, check: str) -> pl.DataFrame:
    return rows.select(
        "row",
        pl.lit(column).alias("column"),
        reason.cast(pl.String).alias("reason"),
        pl.lit(check).alias("check"),
    )


_FORMS = {
    "国家级": ("国家",),
    "省级": ("江苏省级", "江苏省", "江苏", "省"),
    "苏州市级": ("苏州市", "苏州"),
    "昆山市级": ("昆山市", "昆山"),
}
"""How else departments write the rank that a name begins with."""


def spellings(name: str) -> list[str]:
    """A certification's name and the other forms of the rank it begins with."""
    others = [
        f + name.removeprefix(rank) for rank, forms in _FORMS.items() if name.startswith(rank) for f in forms
    ]
    return [name, *others]


def known_names(law: Catalogue) -> pl.DataFrame:
    """Every name of a certification (plain) with the item, the level it implies, and the event it needs.

    Where items of several policies bear a name, one that can be applied for in this registry comes first.
    """
    rows = []
    for item in law.items.values():
        fits = (item.registry != "certifications", not law.policies[item.policy].enabled)
        for level, names in item.named.items():
            spelled = [form for name in names for form in spellings(name)]
            rows += [(plain(form), item.id, level, item.event, fits[1] * 2 + fits[0]) for form in spelled]
        if item.registry == "certifications":
            rows.append((plain(item.title), item.id, None, item.event, fits[1] * 2))
    words = ("_name", "_item", "_named_level", "_event")
    schema: dict[str, Any] = {**dict.fromkeys(words, pl.String), "_rank": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row").unique(maintain_order=True)


def _by_name(rows: pl.DataFrame, law: Catalogue) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    names = known_names(law)
    event = pl.col("event").replace_strict(_EVENTS, default=None, return_dtype=pl.String)
    rows = _with_plain(rows, "certification", "_name").with_columns(event.alias("_said_event"))
    hits = rows.select("row", "item", "_name", "_said_event").join(names, on="_name")
    fits = pl.col("_event").is_null() | (pl.col("_event") == pl.col("_said_event"))
    chosen = (
        hits.filter(pl.when(pl.col("item").is_null()).then(fits).otherwise(pl.col("item") == pl.col("_item")))
        .sort("row", "_rank", "_item", pl.col("_named_level").is_null(), "_named_level")
        .unique("row", keep="first", maintain_order=True)
        .select("row", "_item", "_named_level")
    )
    rows = with_found(rows, chosen, "row")
    named = pl.col("certification").is_not_null()
    heard = pl.col("row").is_in(hits["row"].unique().implode())
    nameless = rows.filter(named & pl.col("item").is_null() & ~heard)
    events = (
        pl.lit("资质「")
        + pl.col("certification")
        + pl.lit("」须在「事项」列写明新认定、再次认定或整体迁入，才能确定条款；请补填")
    )
    unclear = rows.filter(named & pl.col("item").is_null() & heard & pl.col("_item").is_null())
    clash = rows.filter(named & pl.col("item").is_not_null() & heard & pl.col("_item").is_null())
    wrong = filled("条款编号 {} 与资质名称「{}」不是同一事项；请核对后更正", "item", "certification")
    required = {item.id: item.event for item in law.items.values() if item.event}
    needed = pl.col("item").replace_strict(required, default=None, return_dtype=pl.String)
    contrary = rows.filter((needed != pl.col("_said_event")) & pl.col("_said_event").is_not_null())
    said = filled("条款 {} 是「{}」，与事项「{}」不符；请核对后更正", "item", needed, "event")
    faults = [
        _suggest(nameless, law),
        _fault(unclear, "event", events, "unclear_event"),
        _fault(clash, "item", wrong, "item_and_name"),
        _fault(contrary, "event", said, "item_and_event"),
    ]
    return rows.with_columns(item=pl.coalesce("item", "_item")), faults


def _with_plain(rows: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """The rows with a column reduced to what identifies its words; the words are few, so each is reduced once."""
    words = rows.select(column).unique().drop_nulls()
    return with_found(rows, words.with_columns(plain_column(pl.col(column)).alias(name)), column)


def _suggest(rows: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Faults for names that the catalogue does not know, with the closest of three items or levels."""
    spelled: dict[str, tuple[str, object]] = {}
    for item in law.items.values():
        for level, names in item.named.items():
            for name in names:
                spelled |= {plain(form): (form, (item.id, level)) for form in spellings(name)}
        spelled.setdefault(plain(item.title), (item.title, item.id))
    reasons = {}
    for word in rows["certification"].unique().drop_nulls().to_list():
        near: dict[object, str] = {}
        for form in closest(plain(word), spelled, 12):
            name, meaning = spelled[form]
            near.setdefault(meaning, name)
        hint = f"；最接近的是：{'、'.join(list(near.values())[:3])}" if near else ""
        reasons[word] = f"条款目录中没有资质「{word}」{hint}。请更正，或改填条款编号"
    reason = pl.col("certification").replace_strict(reasons, default=None, return_dtype=pl.String)
    return _fault(rows, "certification", reason, "unknown_certification")


def _unknown_items(rows: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    wrong = rows.filter(pl.col("item").is_not_null() & ~pl.col("item").is_in(list(law.items)))
    reasons = {}
    for word in wrong["item"].unique().to_list():
        near = closest(word, law.items, 3)
        hint = f"；最接近的是：{'、'.join(near)}" if near else ""
        reasons[word] = f"条款目录中没有条款「{word}」{hint}。请填写如 A4.06 的条款编号"
    reason = pl.col("item").replace_strict(reasons, default=None, return_dtype=pl.String)
    return _fault(wrong, "item", reason, "unknown_item")


def _wrong_registry(name: str, rows: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    if name == "payments":
        return pl.DataFrame(schema=FAULTS)
    elsewhere = {
        item.id: f"条款 {item.id} 从{REGISTRIES[item.registry].title}登记表计算，不在本表申报；请移到该表"
        for item in law.items.values()
        if item.registry is not None and item.registry != name
    }
    reason = pl.col("item").replace_strict(elsewhere, default=None, return_dtype=pl.String)
    return _fault(rows.filter(pl.col("item").is_in(list(elsewhere))), "item", reason, "wrong_registry")


def _with_level(rows: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    labels = [(item.id, plain(level), level) for item in law.items.values() for level in item.levels]
    table = pl.DataFrame(
        labels, schema={"item": pl.String, "_plain": pl.String, "_level": pl.String}, orient="row"
    )
    rows = with_found(_with_plain(rows, "level", "_plain"), table, "item", "_plain")
    if "_named_level" in rows.columns:
        rows = rows.with_columns(
            _contradicts=pl.col("_level") != pl.col("_named_level"),
            _level=pl.coalesce("_level", pl.when(pl.col("level").is_null()).then(pl.col("_named_level"))),
        )
    return rows


def _level_faults(name: str, rows: pl.DataFrame, law: Catalogue) -> list[pl.DataFrame]:
    levelled = {item.id: "、".join(item.levels) for item in law.items.values() if item.levels}
    options = pl.col("item").replace_strict(levelled, default=None, return_dtype=pl.String)
    unknown = rows.filter(pl.col("level").is_not_null() & pl.col("_level").is_null() & options.is_not_null())
    faults = [
        _fault(
            unknown,
            "level",
            filled("条款 {} 没有级别「{}」；请填写：{}", "item", "level", options),
            "unknown_level",
        )
    ]
    if name == "payments":
        return faults
    needing = [item.id for item in law.items.values() if needs_level(item)]
    blank = rows.filter(
        pl.col("item").is_in(needing) & pl.col("level").is_null() & pl.col("_level").is_null()
    )
    reason = filled("条款 {} 各级别金额不同，须填级别；请填写：{}", "item", options)
    faults.append(_fault(blank, "level", reason, "level_needed"))
    if "_contradicts" in rows.columns:
        both = rows.filter(pl.col("_contradicts").fill_null(False))
        reason = filled("资质名称「{}」与级别「{}」不一致；请核对后更正", "certification", "level")
        faults.append(_fault(both, "level", reason, "name_and_level"))
    return faults
