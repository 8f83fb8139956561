"""The asset graph as sorted text, so that a change of it is seen in review.

``python -m tests.assets.graph`` writes ``asset_graph.txt`` anew.
"""

from pathlib import Path

import dagster as dg

from pipelines.definitions import build_definitions
from pipelines.settings import Settings

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def describe_graph() -> str:
    """One block an asset: group, owners, kinds, partitions, what it depends on, its checks."""
    graph = build_definitions(Settings(portal_url="https://portal.example/external")).resolve_asset_graph()
    checks: dict[str, list[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    blocks = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node, name = graph.get(key), key.to_user_string()
        lines = {
            "group": node.group_name,
            "owners": " ".join(sorted(node.owners)),
            "kinds": " ".join(sorted(node.kinds)),
            "partitions": _partitions(node.partitions_def),
            "depends on": " ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-",
            "checks": " ".join(sorted(checks.get(name, []))) or "-",
        }
        blocks.append("\n".join([name, *(f"  {title}: {text}" for title, text in lines.items())]))
    return "\n".join(blocks) + "\n"


def _partitions(partitions: dg.PartitionsDefinition[str] | None) -> str:
    if partitions is None:
        return "-"
    assert isinstance(partitions, dg.MultiPartitionsDefinition)
    told = []
    for dimension in partitions.partitions_defs:
        inner = dimension.partitions_def
        if isinstance(inner, dg.TimeWindowPartitionsDefinition):
            start = inner.start.strftime(inner.fmt)
            told.append(f"{dimension.name} ({inner.cron_schedule} {inner.timezone}, {inner.fmt} from {start})")
        else:
            told.append(f"{dimension.name} ({len(inner.get_partition_keys())})")
    return " × ".join(sorted(told))


if __name__ == "__main__":
    SNAPSHOT.write_text(describe_graph(), encoding="utf-8")
