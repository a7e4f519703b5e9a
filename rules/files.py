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
    except (YAMLError, UnicodeDecodeError) as error:
        raise RuleError(f"文件「{path.name}」不是有效的 YAML：{error}") from error


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
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"] if not str(part)[0].isupper() or "." in str(part))
        problem = kinds.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        lines.append(f"{where}：{place or '内容'}：{problem}")
    return "\n".join(dict.fromkeys(lines))
