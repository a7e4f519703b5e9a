"""Read the law's YAML files, and say in Chinese what does not fit in them."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rules.expressions import RuleError

_YAML = YAML(typ="safe")


def read_yaml(path: Path) -> Any:
    """The content of a YAML 1.2 file. Raises RuleError when it is not one."""
    try:
        return _YAML.load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise RuleError(f"文件「{path.name}」不是 UTF-8 文本，请另存为 UTF-8") from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行附近" if mark else ""
        said = "写法有误（括号、引号、冒号是否成对，缩进是否对齐，键是否重复）"
        raise RuleError(f"文件「{path.name}」{where}{said}，不是有效的 YAML") from error


def explain_invalid(error: ValidationError, where: str) -> str:
    """A pydantic error as Chinese lines: place and problem."""
    kinds = {
        "extra_forbidden": "不认识的键",
        "missing": "缺少此键",
        "string_type": "应是文字",
        "dict_type": "应是键值",
        "list_type": "应是列表",
        "bool_parsing": "应是 true 或 false",
        "date_from_datetime_parsing": "应是日期，如 2024-01-15",
        "date_parsing": "应是日期，如 2024-01-15",
        "literal_error": "不是允许的值",
    }
    lines = []
    faults = [f for f in error.errors() if not any("function-after" in str(part) for part in f["loc"])]
    told = {fault["loc"][:-1] for fault in faults if fault["type"] == "value_error"}
    for fault in faults:
        if fault["type"] == "extra_forbidden" and fault["loc"][:-1] in told:
            continue
        place = ".".join(str(part) for part in fault["loc"] if not str(part)[0].isupper() or "." in str(part))
        problem = kinds.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        lines.append(f"{where}：{place or '内容'}：{problem}")
    return "\n".join(dict.fromkeys(lines))
