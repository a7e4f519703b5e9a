"""The nine 区镇 of Kunshan and the forms in which departments write them."""

DISTRICTS = ("开发区", "高新区", "花桥", "旅游度假区", "张浦", "周市", "陆家", "巴城", "千灯")

_FORMS = {
    "开发区": ("经济技术开发区", "经开区"),
    "高新区": ("高新技术产业开发区", "高新技术开发区", "玉山", "玉山镇"),
    "花桥": ("花桥镇", "花桥经济开发区", "花桥开发区", "花桥商务区", "花桥国际商务城", "花桥经开区"),
    "旅游度假区": ("旅度区", "度假区", "周庄", "周庄镇", "锦溪", "锦溪镇", "淀山湖", "淀山湖镇"),
    "张浦": ("张浦镇",),
    "周市": ("周市镇",),
    "陆家": ("陆家镇",),
    "巴城": ("巴城镇",),
    "千灯": ("千灯镇",),
}

ALIASES: dict[str, str] = {
    prefix + form: district
    for district, forms in _FORMS.items()
    for form in (district, *forms)
    for prefix in ("", "昆山", "昆山市")
}
"""Every accepted form (blanks removed, 管委会 and 人民政府 cut off) to its district."""
