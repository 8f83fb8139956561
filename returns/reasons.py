"""The closed list of quarantine reasons, and what each means to a person. Not here: deciding which one applies."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

ReturnReason = Literal[
    "unknown_carrier",
    "not_a_workbook",
    "encrypted_file",
    "hostile_file",
    "too_large",
    "login_page",
    "unreadable_text",
    "broken_page",
    "error_answer",
    "incomplete_pages",
    "unknown_layout",
    "ambiguous_layout",
    "unknown_sheet",
    "missing_sheet",
    "wrong_form",
    "wrong_period",
    "wrong_province",
    "unknown_period",
    "unknown_header",
    "missing_header",
    "unknown_unit",
    "no_rows",
    "truncated",
    "unidentified",
]
CellReason = Literal[
    "not_a_number",
    "unknown_dash",
    "ambiguous_scale",
    "unknown_indicator",
    "unknown_unit",
    "unknown_period",
    "unknown_region",
    "ambiguous_region",
    "outdated_region",
    "wrong_region_name",
    "wrong_province",
    "computed_here",
    "short_row",
    "stray_cell",
    "unequal_duplicates",
    "held_by_province",
    "unknown_school",
    "unknown_stage",
    "negative_amount",
]
Reason = ReturnReason | CellReason

RETURN_REASONS: tuple[str, ...] = get_args(ReturnReason)
CELL_REASONS: tuple[str, ...] = get_args(CellReason)


class Meaning(NamedTuple):
    """What a reason means to a person."""

    en: str
    zh: str


MEANINGS: dict[str, Meaning] = {
    "unknown_carrier": Meaning("the bytes are of a kind that no reader knows", "文件类型无法识别"),
    "not_a_workbook": Meaning(
        "the bytes are no workbook, whatever the file is named", "内容不是电子表格，与文件名不符"
    ),
    "encrypted_file": Meaning("the file is protected by a password", "文件有密码，无法打开"),
    "hostile_file": Meaning("the file is built to do harm and was not opened", "文件结构有害，未予打开"),
    "too_large": Meaning("the file, or what it expands to, is larger than any return", "文件或解压后的内容过大"),
    "login_page": Meaning("a login page came in the place of the return", "收到的是登录页面，不是报表"),
    "unreadable_text": Meaning(
        "the text is in no known encoding, or its quoting is broken", "文字编码无法识别或引号不成对"
    ),
    "broken_page": Meaning("a page of the answer is not of the agreed shape", "接口返回的页面格式不符"),
    "error_answer": Meaning("the platform answered with an error", "平台返回错误信息"),
    "incomplete_pages": Meaning("the pages do not make up the announced total", "分页合计与声明的总数不符"),
    "unknown_layout": Meaning("no layout fits", "没有相符的版式"),
    "ambiguous_layout": Meaning("more than one layout, or more than one sheet, fits", "相符的版式或工作表不止一个"),
    "unknown_sheet": Meaning("a sheet holds cells that the layout does not know", "含有版式未列的工作表"),
    "missing_sheet": Meaning("a sheet that the layout wants is not there", "缺少版式要求的工作表"),
    "wrong_form": Meaning("the title is of another form", "标题是另一种报表"),
    "wrong_period": Meaning("the title is of another period", "标题是另一个时期"),
    "wrong_province": Meaning("the title, or the row, is of another province", "标题或行属于另一个省份"),
    "unknown_period": Meaning("the period is stated nowhere, or not in words that are known", "时期未注明或无法识别"),
    "unknown_header": Meaning("a column's header is unknown to layout and catalogue", "表头不在版式和目录之中"),
    "missing_header": Meaning("a column that the form owes is not there", "缺少应报的列"),
    "unknown_unit": Meaning("a unit is unknown or does not fit its indicator", "计量单位无法识别或与指标不符"),
    "no_rows": Meaning("there is no data row under the header", "表头之下没有数据行"),
    "truncated": Meaning(
        "the text that ends the table is not there, so rows may be missing", "缺少表尾文字，数据行可能不全"
    ),
    "unidentified": Meaning("the file names no platform, form and period", "文件未注明所属平台、报表和时期"),
    "not_a_number": Meaning(
        "the figure is no number (text, a formula without a result, a spreadsheet error, beyond all sizes)", "不是数字"
    ),
    "unknown_dash": Meaning("a dash whose meaning the layout does not state", "短横线的含义版式未说明"),
    "ambiguous_scale": Meaning("the figure and its column both carry a scale", "数字与列各带一个数量级"),
    "unknown_indicator": Meaning("the indicator is named and not in the catalogue", "指标不在目录之中"),
    "unknown_region": Meaning("the region is in no list", "地区不在目录之中"),
    "ambiguous_region": Meaning(
        "the name is of several regions and the row has no code", "地区名称对应多个地区且无代码"
    ),
    "outdated_region": Meaning("the code of the region ended long before the period", "地区代码在该时期之前早已撤销"),
    "wrong_region_name": Meaning("the region's name is not the name of its code", "地区名称与代码不符"),
    "computed_here": Meaning(
        "a figure of the nation or of a group of provinces, which is computed and not loaded",
        "全国或分区数字由本系统计算，不予载入",
    ),
    "held_by_province": Meaning(
        "the portal says another figure than the province's own return, which prevails",
        "数据门户的数字与本省报表不一致，以本省报表为准",
    ),
    "short_row": Meaning("the row ends before its header does", "该行列数少于表头"),
    "stray_cell": Meaning("a text that stands outside title, header and table", "表格之外的零散内容"),
    "unknown_school": Meaning("the row of a roster has no code and name of a school", "学校代码或名称缺失、无法识别"),
    "unknown_stage": Meaning("the stage in a roster is neither primary nor junior secondary", "学段不是小学或初中"),
    "negative_amount": Meaning("pupils or an amount of a school are under 0", "学校的学生数或资源数为负"),
    "unequal_duplicates": Meaning("the same figure stands twice with different values", "同一数字出现两次且数值不同"),
}
