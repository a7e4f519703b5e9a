"""How each department lays out its table: titles, headers, units, notes."""

from dataclasses import dataclass

SYNTHETIC = "合成数据"


@dataclass(frozen=True)
class Layout:
    """A table as a department sends it.

    `headers` maps columns to header texts, in order; a text `上|下` is two cells, the upper one merged
    over its group. `unit` is what amounts are written in, in yuan; where `unit_line` is set, the line
    under the title says so and the headers do not. `extra` names columns that are no part of the registry.
    """

    title: str
    department: str
    headers: dict[str, str]
    unit: int = 1
    unit_line: str = ""
    total: bool = True
    indent: int = 0
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """How many rows the header has."""
        return 2 if any("|" in text for text in self.headers.values()) else 1


SERIAL, COMPANY, REMARK = "#serial", "#company", "#remark"
"""Columns of a table that no registry has."""

_NOTE = f"注：本表为{SYNTHETIC}，由程序生成，仅供演示和测试，不对应任何真实的企业、人员和资金。"

LAYOUTS: dict[str, Layout] = {
    "enterprises": Layout(
        title="昆山市{year}年企业名录",
        department="市数据局",
        headers={
            SERIAL: "序号",
            "uscc": "统一社会信用代码",
            "name": "单位名称",
            "district": "所在区镇",
            "industry": "所属产业链",
            "industrial": "是否工业企业",
            "registered_on": "成立日期",
        },
        total=False,
    ),
    "rnd": Layout(
        title="昆山市{year}年度企业研发投入汇总表",
        department="市科技局",
        headers={
            SERIAL: "序号",
            COMPANY: "企业名称",
            "uscc": "统一社会\n信用代码",
            "year": "所属年度",
            "rnd_expense": "研发费用\n金额",
            "super_deduction": "是否享受\n加计扣除",
            "revenue": "营业收入",
            "assessed_amount": "核定金额",
        },
        unit=10_000,
        unit_line="单位：万元",
        notes=(_NOTE, "填报人：示例　　审核人：示例　　联系电话：—"),
    ),
    "equipment": Layout(
        title="{year}年度工业企业设备投入项目汇总表",
        department="市工信局",
        headers={
            SERIAL: "序号",
            "uscc": "统一社会信用代码",
            COMPANY: "企业名称",
            "year": "年度",
            "project_id": "项目情况|项目编号",
            "project_name": "项目情况|项目名称",
            "equipment_investment": "投入情况|设备投资额\n（万元）",
            "smart_investment": "投入情况|其中：智能化数字化投入（万元）",
            "assessed_rate": "核定情况|核定比例",
            "assessed_base": "核定情况|综合奖补核定额（元）",
            "assessed_amount": "核定情况|核定金额（元）",
        },
        unit=10_000,
        notes=(_NOTE,),
    ),
    "certifications": Layout(
        title="{year}年度企业（单位）资质认定情况表",
        department="市科技局、市工信局、市市场监管局",
        headers={
            SERIAL: "序号",
            "uscc": "社会信用代码",
            "certification": "资质名称",
            "item": "条款编号",
            "level": "级别",
            "event": "认定事项",
            "certified_on": "认定时间",
            "certificate_no": "证书编号",
            "project_id": "项目编号",
            "project_name": "项目名称",
            "assessed_amount": "核定金额（万元）",
            REMARK: "备注",
        },
        unit=10_000,
        total=False,
        indent=1,
        notes=(_NOTE,),
    ),
    "claims": Layout(
        title="{year}年度产业创新集群政策申报项目汇总表",
        department="市财政局",
        headers={
            SERIAL: "序号",
            "item": "政策条款",
            "uscc": "统一社会信用代码",
            "event_on": "发生\n时间",
            "level": "级别",
            "project_id": "项目编号",
            "project_name": "项目名称",
            "base_amount": "申报基数（元）",
            "base_amount_prior": "上年数（元）",
            "quantity": "数量",
            "months": "月数",
            "assessed_amount": "核定金额（元）",
            "assessed_rate": "核定比例",
            "upper_award": "上级奖励金额（元）",
            "medical": "是否医药医疗器械",
            "related_party": "是否关联方",
        },
        notes=(_NOTE,),
    ),
    "talents": Layout(
        title="{year}年度人才申报汇总表",
        department="市人社局",
        headers={
            SERIAL: "序号",
            "person_name": "姓名",
            "person_id": "身份证号码",
            "uscc": "统一社会信用代码",
            "item": "条款编号",
            "event_on": "发生日期",
            "level": "级别",
            "months": "月数",
            "base_amount": "申报基数",
            "assessed_amount": "核定金额",
            "assessed_rate": "核定比例",
        },
        unit_line="单位：元",
        notes=(_NOTE,),
    ),
    "payments": Layout(
        title="产业政策奖补资金已兑付明细（截至{year}年底）",
        department="市财政局",
        headers={
            SERIAL: "序号",
            "year": "年度",
            "uscc": "统一社会信用代码",
            "item": "条款编号",
            "amount": "兑付金额（元）",
            "level": "级别",
            "project_id": "项目编号",
            "certificate_no": "证书编号",
            "person_id": "证件号码",
            "months": "月数",
            "paid_on": "拨付日期",
        },
        notes=(_NOTE,),
    ),
}

GUIDE = (
    f"填表说明（{SYNTHETIC}）",
    "一、本表由各区镇汇总后报市级主管部门，每年一报。",
    "二、金额按表头注明的计量填写，没有的填“—”。",
    "三、代码列请设为文本格式，不要改动表头。",
)
"""A sheet that is no table."""
