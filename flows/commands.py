"""What each command does, once its arguments are read."""

import json
import os
import tomllib
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.districts import DISTRICTS
from schemas.errors import Unusable
from schemas.outputs import PAYERS

if TYPE_CHECKING:
    from whatif import outlook


def _say(text: str) -> None:
    print(text, flush=True)


def annual(arguments: Namespace) -> None:
    """`duixian annual`."""
    scenarios = tuple(arguments.scenario)
    if arguments.flow or arguments.runner or _prefect_api():
        from flows.annual import run_flow

        target = run_flow(
            arguments.year,
            arguments.raw,
            arguments.out,
            scenarios,
            _prefect_api(),
            arguments.payments_template,
            arguments.partitions,
            arguments.runner,
        )
    else:
        from flows.direct import run_annual

        _say("未配置 Prefect 服务，直接运行各步骤（加 --flow 可作为流程运行）")
        target = run_annual(
            arguments.year,
            arguments.raw,
            arguments.out,
            scenarios,
            _say,
            arguments.payments_template,
            arguments.partitions,
        )
    _closing(target)


def forecast(arguments: Namespace) -> None:
    """`duixian forecast`."""
    from flows.ahead import Asked

    asked = Asked(
        arguments.base_year,
        arguments.horizon,
        arguments.draws,
        arguments.seed,
        arguments.workers or os.cpu_count() or 1,
        arguments.backtest,
    )
    scenarios = tuple(arguments.scenario)
    if arguments.flow or arguments.runner or _prefect_api():
        from flows.prospect import run_flow

        target = run_flow(
            asked,
            arguments.raw,
            arguments.out,
            scenarios,
            _prefect_api(),
            arguments.partitions,
            arguments.runner,
        )
    else:
        from flows.direct import run_forecast

        target = run_forecast(asked, arguments.raw, arguments.out, scenarios, _say, arguments.partitions)
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    _say("")
    for sentence in manifest["conclusion"]:
        _say(sentence)
    for sentence in manifest["absent"]:
        _say(f"注意：{sentence}")
    _say(f"工作簿：{target / 'forecast.xlsx'}")


def compare(arguments: Namespace) -> None:
    """`duixian compare`."""
    from flows.comparing import Asked, run_compare

    ahead = _drawn(arguments) if arguments.forecast else None
    asked = Asked(arguments.year, arguments.baseline, tuple(arguments.scenarios), ahead, arguments.public)
    target = run_compare(asked, arguments.raw, arguments.out, _say)
    totals = pl.read_parquet(target / "compare.parquet").filter(level="all")
    _say("")
    for before, after, change, scenario in totals.select("before", "after", "change", "scenario").iter_rows():
        words = f"{before / 10000:,.2f} → {after / 10000:,.2f} 万元（{change / 10000:+,.2f} 万元）"
        _say(f"方案 {scenario}：应兑付 {words}" if before is not None else f"方案 {scenario}：不足三家，不列")
    _say(f"工作簿：{target / 'compare.xlsx'}　网页：{target / 'compare.html'}")


def solve(arguments: Namespace) -> None:
    """`duixian solve`."""
    from flows.solving import run_solve
    from rules.numbers import brief
    from whatif.solve import described, frontier_rows

    ahead = _drawn(arguments) if arguments.forecast else None
    solved, law = run_solve(
        arguments.year, arguments.raw, arguments.target, arguments.vary, arguments.span, ahead, _say
    )
    _say("")
    for line in described(solved, law):
        _say(line)
    _say(f"\n{'取值':>10}{'兑付合计（万元）':>14}{'市级':>14}{'区镇':>16}{'户数':>10}　满足目标")
    for row in frontier_rows(solved):
        money = "".join(f"{row[c] / 10000:>18,.2f}" for c in ("award", "city_share", "district_share"))
        _say(f"{brief(row['value']):>10}{money}{row['households']:>12,}　{'是' if row['met'] else '否'}")


def _drawn(arguments: Namespace) -> "outlook.Asked":
    """How forecasts are drawn, checked as `forecast` checks it."""
    from flows.ahead import Asked
    from whatif import outlook

    workers = arguments.workers or os.cpu_count() or 1
    Asked(arguments.year, 3, arguments.draws, arguments.seed, workers)
    return outlook.Asked(3, arguments.draws, arguments.seed, workers)


def _closing(target: Path) -> None:
    """End by saying the totals by district, what was odd in reading, how many rows had faults, where the workbook is."""
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    summary = pl.read_parquet(target / "summary.parquet")

    def payers(rows: pl.DataFrame) -> str:
        paid = dict(rows.group_by("payer").agg(pl.col("amount").sum() / 10000).rows())
        return "　".join(f"{PAYERS[key]} {paid[key]:>14,.2f}" for key in PAYERS if paid.get(key)) or "无"

    _say(f"\n{manifest['year']}年度应兑付（万元）")
    for district in DISTRICTS:
        _say(f"  {district:　<6}{payers(summary.filter(pl.col('district') == district))}")
    _say(f"  {'合计':　<6}{payers(summary)}")
    rejected = sum(rows["rejected"] for rows in manifest["rows"].values())
    unfit = sum("合计与明细不符" in note for note in manifest["notes"])
    warned = f"，其中 {unfit:,} 条是合计与明细不符" if unfit else ""
    _say(f"读取提示：{len(manifest['notes']):,} 条{warned}（见「说明」表）")
    _say(f"有问题的行：{rejected:,}（见「数据问题」表）。工作簿：{target / 'awards.xlsx'}")


def _prefect_api() -> str | None:
    """The Prefect API configured by environment or active profile, without importing Prefect (4 s)."""
    if os.environ.get("PREFECT_API_URL"):
        return os.environ["PREFECT_API_URL"]
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    try:
        profiles = tomllib.loads((home / "profiles.toml").read_text("utf-8"))
        active = os.environ.get("PREFECT_PROFILE", profiles.get("active", ""))
        return str(profiles["profiles"][active]["PREFECT_API_URL"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return None


def explain(arguments: Namespace) -> None:
    """`duixian explain`."""
    from flows.explain import explain_applicant

    for line in explain_applicant(
        arguments.year, arguments.raw, tuple(arguments.scenario), arguments.uscc.strip().upper()
    ):
        _say(line)


def rules(arguments: Namespace) -> int:
    """`duixian rules`."""
    from rules import inspect
    from rules.catalogue import load_catalogue

    law = load_catalogue()
    if arguments.action == "list":
        for line in inspect.listing(law):
            _say(line)
    elif arguments.action == "show":
        from rules.pages.words import term_name
        from rules.pages.write import page

        text = page(law, law.item(arguments.item.strip().upper()), [])
        names = "、".join(f"{name}（{term_name(name)}）" for name in law.item(text[2:].split("　")[0]).terms)
        text += f"\n方案里改数字用的名称：{names}\n" if names else ""
        _say(text.replace("[返回目录](../README.md)\n\n", ""))
    elif arguments.action == "export":
        lines = inspect.exported(law)
        arguments.file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        _say(f"已导出 {len(lines)} 条到 {arguments.file}")
    elif arguments.action == "pages":
        from rules.pages.write import write_pages

        written = write_pages(law, arguments.folder)
        _say(f"已写出 {written - 1} 条的说明，目录：{arguments.folder / 'README.md'}")
    elif arguments.action == "figures":
        from rules.figures import checked

        lines, agrees = checked(law, arguments.file, arguments.policy)
        for line in lines:
            _say(line)
        return 0 if agrees else 1
    else:
        from rules.check import check

        _say("运行全部算例，并逐个改动标量看有没有算例发觉，约需一分钟……")
        faults = check(law)
        for fault in faults:
            _say(fault)
        _say(f"检查了 {len(law.items)} 条：" + (f"{len(faults)} 处问题" if faults else "没有问题"))
        return 1 if faults else 0
    return 0


def synth(arguments: Namespace) -> None:
    """`duixian synth`."""
    from synth import generate

    first, _, last = arguments.years.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or int(first) > int(last or first):
        raise Unusable(f"年度「{arguments.years}」应写成 2021-2023")
    if arguments.enterprises < 1:
        raise Unusable("企业户数至少为 1")
    years = (int(first), int(last or first))
    generate(
        arguments.enterprises,
        years,
        arguments.seed,
        arguments.out,
        "office" if arguments.office else "parquet",
        mess=arguments.mess,
    )
    _say(f"已生成 {arguments.enterprises:,} 户 {years[0]}—{years[1]} 年的合成登记表：{arguments.out}")


def serve(arguments: Namespace) -> None:
    """`duixian serve`."""
    from flows.schedule import serve_all

    serve_all(arguments.raw, arguments.out)
