COMMENT ON COLUMN core.indicator.sector IS 'context, employment, education or health';
COMMENT ON COLUMN core.indicator.kind IS 'base (a return carries it) or derived (computed)';
DELETE FROM core.indicator WHERE kind = 'index';
