"""For platforms whose listing names its fields in pinyin, and times as ``2025-03-26 09:00:00``.

{"zongshu": 1, "liebiao": [{"bianhao": "…", "biaoming": "…", "shiqi": "…", "wenjianming": "…", "gengxinshijian": "…"}]}
"""

from __future__ import annotations

from typing import Any

from resources.platforms.hooks import Hooks
from resources.platforms.register import Platform

FIELDS = {
    "bianhao": "id",  # 编号
    "biaoming": "form",  # 表名
    "shiqi": "period",  # 时期
    "wenjianming": "file_name",  # 文件名
    "gengxinshijian": "modified",  # 更新时间
    "banben": "etag",  # 版本
    "leixing": "media_type",  # 类型
}


class PlatformHooks(Hooks):
    """Gives the fields their usual names; what it does not know stays as it is."""

    def listing(self, platform: Platform, data: dict[str, Any]) -> dict[str, Any]:
        """Fields in English; a listing without ``liebiao`` is left for the transport to refuse."""
        if not isinstance(data.get("liebiao"), list):
            return data
        rows = [
            {FIELDS.get(key, key): value for key, value in row.items()} if isinstance(row, dict) else row
            for row in data["liebiao"]
        ]
        return {"total": data.get("zongshu"), "rows": rows}
