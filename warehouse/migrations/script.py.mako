"""${message}.

Revises ${down_revision | comma,n}.
"""

from __future__ import annotations

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Forward."""
    ${upgrades if upgrades else "op.execute('')"}


def downgrade() -> None:
    """Back."""
    ${downgrades if downgrades else "op.execute('')"}
