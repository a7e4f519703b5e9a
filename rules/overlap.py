"""Overlaps: the same matter under several policies is paid once, by the policy that pays more (就高不重复)."""

from collections.abc import Collection
from decimal import Decimal

import polars as pl

from rules.caps import share_caps, within
from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, PAYABLE, PENDING
from rules.frames import Frames
from rules.placing import with_changed, with_found, with_notes
from schemas.labels import filled
from schemas.money import YUAN, grouped

_ZERO = pl.lit(Decimal(0), YUAN)
_PROJECT = pl.col("project_id").str.to_uppercase()
_CONTENT = ("item", "project", "level", "person_id", "certificate_no", "on", "gross", "working")
"""Ties go by content, never by the order of rows."""

_SHOWN = 3
"""How many lines a reason names."""

_UNCLEAR = "缺少项目编号，按同一申报人、同类事项和同一年度认定为同一事项，请核"


def without_overlaps(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Lines that another line displaces become duplicate; adds `yielded`, the capped award they give up.

    A replacing item displaces the item it replaces on the same project. Between policies, lines of one
    matter and policy are added, and the policy with the larger sum keeps its lines; of a pending line
    only what could exceed the other policy's payment remains.
    """
    nothing = {"yielded": pl.lit(None, YUAN), "matter": pl.lit(None, pl.String)}
    lines = lines.with_columns(**nothing).with_row_index("_line")
    lines = _apply(lines, _replaced(lines, law))
    matters = _matters(lines, law)
    if matters.is_empty():
        return lines.drop("_line")
    judged = _beaten(_capped(matters, lines), law)
    lines = _apply(lines, _displaced(judged))
    lines = with_found(lines.drop("matter"), judged.select("_line", "matter"), "_line")
    return _narrowed(_noted(lines, judged), judged).drop("_line")


def touching(law: Catalogue, items: Collection[str]) -> set[str]:
    """The items and all whose lines theirs may displace or be displaced by."""
    groups = [set(members) for members in law.overlaps.values()]
    groups += [{item.id, item.replaces} for item in law.items.values() if item.replaces]
    found, before = set(items), 0
    while len(found) > before:
        before = len(found)
        found = found.union(*(group for group in groups if group & found))
    return found


def _capped(matters: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The lines with what the caps on their thing leave of them: that is what is compared.

    A cap on an enterprise's year bounds each line here; its lines share it later, those that survive.
    """
    applicants = lines.filter(pl.col("uscc").is_in(matters["uscc"].unique().implode())).with_columns(
        pl.min_horizontal(end, "cap").alias(end) for end in ("award_low", "award_high")
    )
    left = share_caps(applicants.drop("_line"), of_things=True).select("award_low", "award_high")
    capped = applicants.select("_line").hstack(left)
    return matters.drop("award_low", "award_high").join(capped, on="_line")


def _apply(lines: pl.DataFrame, displaced: pl.DataFrame) -> pl.DataFrame:
    """Lines named in `displaced` (`_line`, `told`, `given_up`) yield for the reason told."""
    if displaced.is_empty():
        return lines
    paid = pl.col("status") == PAYABLE
    given_up = pl.when(paid).then(pl.col("given_up")).otherwise(_ZERO)
    amount = pl.when(paid).then(filled("，本行放弃 {} 元", grouped(given_up)))
    said = pl.concat_str(["told", amount.otherwise(pl.lit("，本行不再核定"))])
    gone = displaced.drop_nulls("told").join(lines.select("_line", "status"), on="_line")
    changed = gone.select(
        "_line", award_low=given_up, status=pl.lit(DUPLICATE), reason=said, yielded=given_up
    )
    return with_changed(lines, changed)


def _live(lines: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    live = lines.lazy().filter(which & pl.col("status").is_in([PAYABLE, PENDING]))
    columns = (
        *("_line", "policy", "item", "level", "uscc", "status", "award_low", "award_high"),
        *("person_id", "certificate_no", "on", "gross", "working"),
    )
    year = pl.col("on").dt.year()
    return live.select(*columns, project=_PROJECT, named="project_id", year=year).collect()


def _replaced(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Lines of an item that a payable line replaces for the same project (其中)."""
    pairs = {item.id: item.replaces for item in law.items.values() if item.replaces}
    live = _live(lines, pl.col("item").is_in([*pairs, *pairs.values()]))
    if live.is_empty():
        return pl.DataFrame()
    live = _capped(live, lines)
    paid = (pl.col("status") == PAYABLE) & (pl.col("award_low") > 0)
    special = live.filter(pl.col("item").is_in(list(pairs)) & paid).select(
        *("uscc", "project", "year"),
        pl.col("item").alias("by"),
        pl.col("item").replace_strict(pairs, return_dtype=pl.String).alias("item"),
    )
    told = filled("同一项目按 {} {} 执行", "by", pl.col("by").replace_strict(_titles(law)))
    found = live.join(special, on=["uscc", "project", "year", "item"])
    one = found.group_by("_line").agg(pl.col("by").min(), pl.col("award_low").first())
    return one.select("_line", told=told, given_up=pl.col("award_low"))


def _titles(law: Catalogue) -> dict[str, str]:
    return {item.id: item.title for item in law.items.values()}


def _groups(law: Catalogue) -> pl.DataFrame:
    """Group by item and level; a null level stands for any."""
    rows = [
        (item, level, group)
        for group, members in law.overlaps.items()
        for item, levels in members.items()
        if not law.items[item].linked
        for level in (levels or (None,))
    ]
    schema = {"item": pl.String, "level": pl.String, "group": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def with_cut_winners(lines: pl.DataFrame) -> pl.DataFrame:
    """A note on lines that yielded to lines which a cap of the enterprise's year cut afterwards."""
    cut = lines.filter((pl.col("status") == PAYABLE) & pl.col("cap_shared"))["matter"].drop_nulls().unique()
    if cut.is_empty():
        return lines
    lines = lines.with_row_index("_line")
    lost = lines.lazy().filter(pl.col("yielded").is_not_null() & pl.col("matter").is_in(cut.implode()))
    note = pl.lit("让位的对方各笔另受年度上限核减，请核哪一项更高")
    return with_notes(lines, lost.select("_line", note=note).collect()).drop("_line")


def _grouped(rows: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """The rows (with item and level) that belong to a `group`."""
    table = _groups(law)
    any_level = table.filter(pl.col("level").is_null()).select("item", pl.col("group").alias("_whole"))
    rows = rows.join(any_level, on="item", how="left").with_columns(pl.col("level").fill_null(""))
    rows = rows.join(table, on=["item", "level"], how="left")
    return rows.with_columns(group=pl.coalesce("group", "_whole")).drop("_whole").drop_nulls("group")


def with_paid_elsewhere(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """A note on live lines whose matter an earlier year may have paid under another policy; cuts nothing."""
    held = frames.get("payments")
    before = None if held is None else held.filter((pl.col("year") < year) & (pl.col("amount") > 0))
    if before is None or before.is_empty():
        return lines
    paid = _grouped(before.select("uscc", "item", "level", "year", "amount", _PROJECT.alias("_project")), law)
    paid = paid.select(
        *("uscc", "group", "_project", "amount"), by=pl.col("item").str.head(1), _item="item", _year="year"
    )
    lines = lines.with_row_index("_line")
    own = _live(lines, pl.col("uscc").is_in(paid["uscc"].unique().implode()))
    told = (
        _grouped(own, law)
        .join(paid, on=["uscc", "group"])
        .filter(
            (pl.col("by") != pl.col("policy")) & (pl.col("project") == pl.col("_project")).fill_null(True)
        )
        .with_columns(words=filled("{} {}年度已兑付 {} 元", "_item", "_year", grouped(pl.col("amount"))))
        .group_by("_line")
        .agg(pl.col("words").unique().sort().head(_SHOWN).str.join("、"))
        .select("_line", note=filled("{}，如是同一事项应就高不重复，请核", "words"))
    )
    return with_notes(lines, told).drop("_line")


def _matters(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Live lines whose matter more than one policy may pay, with `matter` and whether it is `unclear`.

    A matter is a project where both lines name one, else the applicant's group and year: a line without
    a project belongs with every line of the other policies.
    """
    members = pl.col("item").is_in(list({item for group in law.overlaps.values() for item in group}))
    of_others = lines.lazy().filter((pl.col("policy") != "A") & members)
    others = of_others.select(pl.col("uscc").unique()).collect()["uscc"]
    if others.is_empty():  # no other policy, no matter of several
        return pl.DataFrame()
    live = _grouped(_live(lines, members & pl.col("uscc").is_in(others.implode())), law)
    case = ["uscc", "group", "year"]
    live = live.filter(pl.col("policy").n_unique().over(case) > 1)
    blank = pl.col("project").is_null()
    live = live.with_columns(_blank_elsewhere=blank.sum().over(case) > blank.sum().over([*case, "policy"]))
    live = live.with_columns(unclear=blank | pl.col("_blank_elsewhere").any().over([*case, "project"]))
    project = pl.when(~pl.col("unclear")).then(pl.col("project")).fill_null("")
    live = live.with_columns(matter=pl.concat_str(*case, project, separator="|"))
    return live.filter(pl.col("policy").n_unique().over("matter") > 1)


def _beaten(matters: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """The lines with their policy's payable sum (`own`), and the policy that displaces it: `by`, `sum`, `told`.

    Only a policy that keeps its own lines displaces another. `replaced`: the one gives way whatever the sums.
    """
    paid = pl.when(status=PAYABLE).then(pl.col("award_low")).otherwise(_ZERO)
    sums = _ranked(matters.group_by("matter", "policy").agg(own=paid.sum(), told=_words(law)), law)
    winners = sums.select("matter", "told", by="policy", sum="own", ahead="rank")
    pairs = winners.join(sums.select("matter", "policy", "rank", "replaced"), on="matter")
    pairs = pairs.filter((pl.col("sum") > 0) & (pl.col("ahead") < pl.col("rank")))
    pairs = pairs.filter(_compared(law) | pl.col("replaced"))
    out = pairs.clear()
    for rank in range(2, len(law.policies) + 1):  # is a policy ahead that keeps its lines?
        gone = out.select("matter", by="policy")
        here = pairs.filter(rank=rank).join(gone, on=["matter", "by"], how="anti")
        out = pl.concat([out, here.sort("ahead").unique(["matter", "policy"], keep="first")])
    found = matters.join(sums.select("matter", "policy", "own"), on=["matter", "policy"])
    return found.join(out.drop("ahead", "rank"), on=["matter", "policy"], how="left")


def _ranked(sums: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """The policies of each matter with their `rank`: the larger sum first, then as ties go; a replaced one last."""
    order = ["A", *_others(law)] if law.readings["overlap_tie"] == "A" else [*_others(law), "A"]
    places = {key: place for place, key in enumerate(order)}
    adopted = ((pl.col("policy") == "B") & (pl.col("own") > 0)).any().over("matter")
    replaced = adopted & (pl.col("policy") == "A") & pl.lit(law.readings["overlap_B"] == "replaces")
    tie = pl.col("policy").replace_strict(places, return_dtype=pl.Int32)
    sums = sums.with_columns(replaced=replaced, _tie=tie)
    sums = sums.sort("matter", "replaced", "own", "_tie", descending=[False, False, True, False])
    return sums.drop("_tie").with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("matter"))


def _others(law: Catalogue) -> list[str]:
    """The policies but A; between Suzhou's own, what is in force goes before the draft."""
    return sorted((key for key in law.policies if key != "A"), reverse=True)


def _compared(law: Catalogue) -> pl.Expr:
    """Whether the readings compare a pair of policies at all."""
    with_b = (pl.col("by") == "B") | (pl.col("policy") == "B")
    return (
        pl.when(with_b)
        .then(law.readings["overlap_B"] != "both")
        .otherwise(law.readings["overlap_A_C"] != "both")
    )


def _words(law: Catalogue) -> pl.Expr:
    """The payable lines of a policy on a matter, in words; of many only the first."""
    title = pl.col("item").replace_strict(_titles(law), return_dtype=pl.String)
    project = pl.when(pl.col("named").is_not_null()).then(filled("项目 {}，", "named"))
    one = filled("{} {}（{}{} 元）", "item", title, project.fill_null(""), grouped(pl.col("award_low")))
    paid = (pl.col("status") == PAYABLE) & (pl.col("award_low") > 0)
    shown = one.filter(paid).sort().head(_SHOWN).str.join("、")
    rest = filled("等{}笔，共 {} 元", paid.sum(), grouped(pl.col("award_low").filter(paid).sum()))
    return pl.concat_str([shown, pl.when(paid.sum() > _SHOWN).then(rest).otherwise(pl.lit(""))])


def _displaced(judged: pl.DataFrame) -> pl.DataFrame:
    """Payable lines that yield, and pending ones that could never be paid beside the other policy."""
    replaced = pl.col("replaced").fill_null(False)
    no_room = (_could_exceed("award_high") == 0).fill_null(False)
    hopeless = (pl.col("status") == PENDING) & (replaced | no_room)
    gone = judged.filter(pl.col("by").is_not_null() & ((pl.col("status") == PAYABLE) | hopeless))
    why = pl.when(replaced).then(pl.lit("以融合发展政策代替昆山政策")).otherwise(pl.lit("就高不重复"))
    told = filled("{}：同一事项让位于 {}", why, "told")
    return gone.select("_line", told=told, given_up=pl.col("award_low"))


def _could_exceed(end: str) -> pl.Expr:
    """By how much a policy's lines on the matter could exceed the other's, at this end of the pending ones."""
    pending = pl.when(pl.col("status") == PENDING).then(pl.col(end)).otherwise(_ZERO)
    unknown = pending.is_null().any().over("matter", "policy")
    total = pl.col("own") + pending.sum().over("matter", "policy")
    return pl.when(~unknown).then(pl.max_horizontal(total - pl.col("sum"), _ZERO))


def _narrowed(lines: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Pending lines whose policy is beaten keep the part of their range that exceeds the other's payment."""

    ends = judged.with_columns(_least=_could_exceed("award_low"), _most=_could_exceed("award_high"))
    beaten = (
        ends.filter(pl.col("by").is_not_null() & (pl.col("status") == PENDING))
        .with_columns(pool=pl.concat_str("matter", "policy", separator="|"))
        .sort(*_CONTENT, nulls_last=True)
    )
    if beaten.is_empty():
        return lines
    low = within(beaten.with_columns(bound="_least"), "award_low")
    high = within(beaten.filter(pl.col("_most").is_not_null()).with_columns(bound="_most"), "award_high")
    kept = low.select("_line", "told", "award_low").join(
        high.select("_line", "award_high"), on="_line", how="left"
    )
    pending = lines.select("_line", "status").filter(status=PENDING)
    kept = kept.drop_nulls("told").join(pending, on="_line", how="semi")
    least = pl.min_horizontal("award_low", "award_high")
    lines = with_changed(lines, kept.select("_line", "award_high", award_low=least))
    note = filled("同一事项已有 {}，就高不重复，只计超出部分", "told")
    return with_notes(lines, kept.select("_line", note=note))


def _noted(lines: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """A note on every line of a matter that only applicant, group and year identify."""
    compared = pl.col("by").is_not_null().any().over("matter")
    unclear = judged.filter(pl.col("unclear") & compared).select("_line", note=pl.lit(_UNCLEAR))
    return with_notes(lines, unclear)
