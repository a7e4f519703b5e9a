"""The command `duixian`. Only this file speaks to the terminal; heavy imports wait until a command needs them."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

_TRANSLATED = {
    "usage: ": "用法：",
    "options": "选项",
    "positional arguments": "参数",
    "show this help message and exit": "显示本帮助",
    "the following arguments are required: %s": "缺少参数：%s",
    "unrecognized arguments: %s": "不认识的参数：%s",
    "argument %(argument_name)s: %(message)s": "参数 %(argument_name)s：%(message)s",
    "invalid %(type)s value: %(value)r": "值 %(value)r 不能用",
    "expected one argument": "后面要跟一个值",
    "invalid choice: %(value)r (choose from %(choices)s)": "没有 %(value)r，可选：%(choices)s",
    "ambiguous option: %(option)s could match %(matches)s": "选项 %(option)s 不明确，可能是 %(matches)s",
}


class _Parser(argparse.ArgumentParser):
    """argparse with Chinese messages."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments; exit code 2."""
        print(f"{message}\n查看用法：{self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    # argparse has no other door for its words than the gettext function it imported.
    argparse._ = lambda text: _TRANSLATED.get(text, text)  # type: ignore[attr-defined]
    parser = _Parser(
        prog="duixian",
        description="兑现：按产业政策逐企业测算年度奖补，分清市级与区镇负担，并说明每一笔的由来。",
    )
    commands = parser.add_subparsers(dest="command", metavar="命令", required=True, title="命令")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    annual = command("annual", "年度兑现：读取登记表，计算奖补，发布结果和工作簿")
    _year(annual)
    _publishing(annual)
    _scenarios(annual)
    annual.add_argument(
        "--payments-template",
        type=Path,
        metavar="文件",
        help="另写一份待兑付的已兑付登记表（.xlsx、.csv、.parquet；含完整证件号码，仅本人可读）",
    )

    _dividing(annual)

    forecast = command("forecast", "负担预测：今后各年市级和各区镇要安排多少，把握多大，受什么影响")
    forecast.add_argument(
        "--base-year", type=int, required=True, metavar="年度", help="基准年度，登记表最后一年，如 2023"
    )
    forecast.add_argument("--horizon", type=int, default=3, metavar="年数", help="预测几个年度（默认 3）")
    _publishing(forecast)
    _scenarios(forecast)
    _drawing(forecast)
    _dividing(forecast)
    forecast.add_argument("--backtest", action="store_true", help="另用登记表以前年度检验预测方法")

    compare = command(
        "compare", "比较方案：与现行政策（或另一方案、以往结果）相比增减多少、谁得谁失、由谁负担"
    )
    compare.add_argument(
        "baseline", metavar="基准", help="current（现行政策）、方案文件，或一次年度兑现的结果文件夹"
    )
    compare.add_argument("scenarios", type=Path, nargs="+", metavar="方案", help="一个或几个方案文件（YAML）")
    _year(compare)
    _folders(compare)
    compare.add_argument("--forecast", action="store_true", help="同时比较预测（同一组随机数，需几分钟）")
    compare.add_argument("--public", action="store_true", help="公开用：不足三家企业的数字不列")
    _drawing(compare)

    solve = command("solve", "反求：某个标量取多少，才能满足预算；并列出各取值的金额和户数")
    _year(solve)
    solve.add_argument(
        "--target", required=True, metavar="目标", help='如 "city_share <= 3亿"、"A4.06.award <= 5000万"'
    )
    solve.add_argument(
        "--vary", required=True, metavar="标量", help="如 A4.06.rate（名称见 duixian rules show A4.06）"
    )
    solve.add_argument("--in", dest="span", required=True, metavar="范围", help="如 0.02..0.08、100万..500万")
    _raw(solve)
    solve.add_argument("--forecast", action="store_true", help="按预测求解：下一年度的负担有九成把握满足目标")
    _drawing(solve)

    explain = command("explain", "逐笔说明一家企业的奖补：条件、计算过程、封顶、分担和来源")
    _year(explain)
    _raw(explain)
    _scenarios(explain)
    explain.add_argument("--uscc", required=True, metavar="代码", help="统一社会信用代码")

    listed = "list 列出，show 显示一条，pages 写成说明，check 检查，export 导出，figures 对照文本"
    rules = command("rules", f"条款目录：{listed}")
    actions = rules.add_subparsers(dest="action", metavar="操作", required=True, title="操作")
    actions.add_parser("list", help="列出全部条款")
    show = actions.add_parser("show", help="显示一条的全部内容")
    show.add_argument("item", metavar="条款", help="条款编号，如 A4.06")
    actions.add_parser("check", help="检查目录：表达式、标量、案例")
    export = actions.add_parser("export", help="导出为 JSON Lines，每行一条")
    export.add_argument("file", type=Path, metavar="文件", help="输出文件")
    pages = actions.add_parser("pages", help="写出各条的说明，每条一页（Markdown），附目录")
    pages.add_argument("folder", type=Path, metavar="文件夹", help="输出文件夹")
    figures = actions.add_parser("figures", help="核对政策文本中的数字与目录，如有新版政策")
    figures.add_argument("file", type=Path, metavar="文本", help="政策文本，UTF-8 或 GB18030 的 .txt")
    figures.add_argument("--policy", metavar="政策", help="A、B 或 C（默认按数字推断）")

    synth = command("synth", "生成合成登记表，供试用和测试")
    synth.add_argument("--enterprises", type=int, default=2000, metavar="户数", help="企业户数（默认 2000）")
    synth.add_argument("--years", default="2021-2023", metavar="年度", help="起止年度，如 2021-2023")
    synth.add_argument("--seed", type=int, default=1, metavar="种子", help="随机种子（默认 1）")
    synth.add_argument("--out", type=Path, required=True, metavar="文件夹", help="输出文件夹")
    synth.add_argument("--office", action="store_true", help="写成部门报送的样子（xlsx、csv）；默认 Parquet")
    synth.add_argument("--mess", action="store_true", help="掺入已知的错误行")

    serve = command("serve", "按日程运行年度兑现（Prefect，北京时间每年1月15日2时）")
    serve.add_argument("--raw", type=Path, default=Path("data/raw"), metavar="文件夹", help="登记表文件夹")
    serve.add_argument("--out", type=Path, default=Path("data/out"), metavar="文件夹", help="结果文件夹")
    return parser


def _year(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--year", type=int, required=True, metavar="年度", help="测算年度，如 2023")


def _raw(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raw", type=Path, default=Path("data/raw"), metavar="文件夹", help="登记表文件夹（默认 data/raw）"
    )


def _folders(parser: argparse.ArgumentParser) -> None:
    _raw(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("data/out"), metavar="文件夹", help="结果文件夹（默认 data/out）"
    )


def _drawing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--draws", type=int, default=1000, metavar="次数", help="抽样次数（默认 1000）")
    parser.add_argument("--seed", type=int, default=1, metavar="种子", help="随机种子（默认 1）")
    parser.add_argument("--workers", type=int, metavar="数", help="并行数（默认同处理器数，不影响结果）")


def _publishing(parser: argparse.ArgumentParser) -> None:
    _folders(parser)
    parser.add_argument(
        "--flow", action="store_true", help="作为 Prefect 流程运行（没有配置 Prefect 服务时用内置服务）"
    )


def _dividing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--partitions",
        metavar="分区",
        help="分成几个分区逐个计算，或 district 按区镇分（默认按登记行数；不影响结果）",
    )
    parser.add_argument(
        "--runner",
        metavar="方式",
        help="dask：分区在本机多个进程上计算；dask=tcp://地址:8786：在 Dask 集群上（见 docs/scale.md）",
    )


def _scenarios(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario",
        type=Path,
        action="append",
        default=[],
        metavar="文件",
        help="情景方案（YAML），可多次给出",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 2 unusable input or arguments, 1 anything else."""
    arguments = _parser().parse_args(argv)
    if not os.environ.get("DUIXIAN_DEBUG"):  # half-written workbooks complain while they are thrown away
        sys.unraisablehook = lambda _: None
    from schemas.errors import Unusable

    try:
        return int(_run(arguments) or 0)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except (OSError, MemoryError) as error:
        if isinstance(error, MemoryError) or error.errno == errno.ENOMEM:
            print("内存不足，没有改动以前的结果。请用 --partitions 分成更多分区再运行。", file=sys.stderr)
            return 2
        print(
            f"不能读写「{error.filename or ''}」：{error.strerror or error}。请检查位置、权限和磁盘空间。",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("已中断，没有改动以前的结果。", file=sys.stderr)
        return 1
    except Exception as error:  # no traceback reaches a user; DUIXIAN_DEBUG=1 raises it
        if os.environ.get("DUIXIAN_DEBUG"):
            raise
        print(
            f"运行未完成，没有改动以前的结果：{error}\n（{type(error).__name__}；设置环境变量 DUIXIAN_DEBUG=1 可显示详细位置）",
            file=sys.stderr,
        )
        return 1


def _run(arguments: argparse.Namespace) -> int | None:
    from flows import commands

    run: Callable[[argparse.Namespace], int | None] = getattr(commands, arguments.command)
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
