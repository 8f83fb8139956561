DROP FUNCTION core.observation_as_of;
DROP VIEW core.change;
CREATE TABLE ops.release_in_force (
    "only" BOOLEAN DEFAULT true NOT NULL,
    release_id INTEGER NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT release_in_force_pkey PRIMARY KEY ("only")
);
COMMENT ON TABLE ops.release_in_force IS 'The pointer: moving it publishes or withdraws';
COMMENT ON COLUMN ops.release_in_force."only" IS 'one row';
COMMENT ON COLUMN ops.release_in_force.release_id IS 'release that readers see';
COMMENT ON COLUMN ops.release_in_force.recorded_at IS 'its observations are those recorded up to here';
INSERT INTO ops.release_in_force (release_id, recorded_at)
SELECT release_id, recorded_at FROM ops.release_pointer WHERE NOT is_embargoed OR in_force_from <= now()
ORDER BY in_force_from DESC, pointer_id DESC LIMIT 1;
DROP TABLE ops.release_decision, ops.release_pointer;
-- What nobody saw has no time of publication; the first schema asks for one.
UPDATE ops.release SET published_at = recorded_at WHERE published_at IS NULL;
ALTER TABLE ops.release ALTER COLUMN published_at SET NOT NULL;
ALTER TABLE ops.release DROP COLUMN held_because;
COMMENT ON COLUMN ops.release.published_at IS 'when it went live';
COMMENT ON COLUMN ops.release.status IS 'published or withdrawn';
COMMENT ON TABLE ops.release IS 'Published states of the marts';
COMMENT ON COLUMN ops.refresh.status IS 'running, published, unchanged, failed, or incomplete (killed, or only part of the assets was run)';
UPDATE ops.refresh SET status = 'published' WHERE status = 'prepared';
DROP INDEX core.observation_superseded_at_idx, core.observation_receipt_id_idx;
ALTER TABLE core.observation DROP COLUMN end_reason, DROP COLUMN ended_by;
