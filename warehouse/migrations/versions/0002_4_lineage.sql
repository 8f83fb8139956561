-- Lineage: which parts a computed figure is made of, and each part's return and cell. Frozen: later changes are later
-- migrations.

CREATE TABLE core.lineage_part (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    result TEXT NOT NULL,
    place SMALLINT NOT NULL,
    choice SMALLINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    superseded_at TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL,
    role TEXT NOT NULL,
    factor DOUBLE PRECISION NOT NULL,
    part_indicator_key SMALLINT NOT NULL,
    part_period_key INTEGER NOT NULL,
    part_area_key SMALLINT NOT NULL,
    CONSTRAINT lineage_part_pkey PRIMARY KEY (indicator_key, period_key, area_key, result, place, choice, recorded_at)
);
COMMENT ON TABLE core.lineage_part IS 'Rules, a slice at a time: which parts a computed figure takes, and which period stands in where one has none';
COMMENT ON COLUMN core.lineage_part.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.lineage_part.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.lineage_part.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.lineage_part.result IS 'what is computed: figure (of a region, of its own parts), nation (of the provinces'' parts), inequality';
COMMENT ON COLUMN core.lineage_part.place IS 'place of the part in the formula, from 1';
COMMENT ON COLUMN core.lineage_part.choice IS 'order of what may stand in this place, from 1: the first that a region has a value of does';
COMMENT ON COLUMN core.lineage_part.recorded_at IS 'moment of the refresh from which the rule holds; -infinity: it held before rules were kept';
COMMENT ON COLUMN core.lineage_part.superseded_at IS 'moment of the refresh from which it no longer holds; infinity: it does';
COMMENT ON COLUMN core.lineage_part.role IS 'numerator, denominator, longer, shorter (spans of a difference), member or weight';
COMMENT ON COLUMN core.lineage_part.factor IS 'what the part is multiplied by: the multiplier of a rate, -1 for the shorter span, else 1';
COMMENT ON COLUMN core.lineage_part.part_indicator_key IS 'indicator of the part';
COMMENT ON COLUMN core.lineage_part.part_period_key IS 'period of the part';
COMMENT ON COLUMN core.lineage_part.part_area_key IS 'area type of the part';

-- By keys, one row a part. Of the candidates for a place the first that has a value is the part; a province adds to the
-- nation only where it has every part of the formula. A reported figure is its own part.
CREATE VIEW core.lineage AS
SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.value, o.obs_status,
       coalesce(l.role, 'reported') AS role, coalesce(l.place, 1) AS place, coalesce(l.factor, 1) AS factor,
       p.indicator_key AS part_indicator_key, p.period_key AS part_period_key, p.region_key AS part_region_key,
       p.area_key AS part_area_key, p.value AS part_value, p.obs_status AS part_status, p.recorded_at AS part_recorded_at,
       p.receipt_id, p.address
FROM mart.release_in_force pointer
JOIN core.observation o ON o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at
LEFT JOIN core.lineage_part l
  ON o.receipt_id IS NULL AND l.indicator_key = o.indicator_key AND l.period_key = o.period_key
 AND l.area_key = o.area_key AND l.result = CASE WHEN o.region_key = 0 THEN 'nation' ELSE 'figure' END
 AND l.recorded_at <= pointer.recorded_at AND l.superseded_at > pointer.recorded_at
CROSS JOIN LATERAL (
    SELECT s.* FROM core.observation s
    WHERE l.result IS DISTINCT FROM 'nation' AND s.region_key = o.region_key
      AND s.indicator_key = coalesce(l.part_indicator_key, o.indicator_key)
      AND s.period_key = coalesce(l.part_period_key, o.period_key) AND s.area_key = coalesce(l.part_area_key, o.area_key)
      AND s.recorded_at <= pointer.recorded_at AND s.superseded_at > pointer.recorded_at
    UNION ALL
    SELECT s.* FROM core.region g JOIN core.observation s ON s.region_key = g.region_key
    WHERE l.result = 'nation' AND g.region_level = 'province' AND s.indicator_key = l.part_indicator_key
      AND s.period_key = l.part_period_key AND s.area_key = l.part_area_key
      AND s.recorded_at <= pointer.recorded_at AND s.superseded_at > pointer.recorded_at
) p
WHERE (o.receipt_id IS NOT NULL OR (l.indicator_key IS NOT NULL AND p.value IS NOT NULL))
  AND (l.choice IS NULL OR l.choice = 1 OR NOT EXISTS (
       SELECT FROM core.lineage_part b
       JOIN core.observation q
         ON q.indicator_key = b.part_indicator_key AND q.period_key = b.part_period_key AND q.area_key = b.part_area_key
        AND q.region_key = p.region_key AND q.value IS NOT NULL
        AND q.recorded_at <= pointer.recorded_at AND q.superseded_at > pointer.recorded_at
       WHERE b.indicator_key = l.indicator_key AND b.period_key = l.period_key AND b.area_key = l.area_key
         AND b.result = l.result AND b.place = l.place AND b.choice < l.choice
         AND b.recorded_at <= pointer.recorded_at AND b.superseded_at > pointer.recorded_at))
  AND (l.result IS DISTINCT FROM 'nation' OR NOT EXISTS (
       SELECT FROM core.lineage_part a
       WHERE a.indicator_key = l.indicator_key AND a.period_key = l.period_key AND a.area_key = l.area_key
         AND a.result = 'nation' AND a.place <> l.place AND a.choice = 1
         AND a.recorded_at <= pointer.recorded_at AND a.superseded_at > pointer.recorded_at
         AND NOT EXISTS (
             SELECT FROM core.lineage_part b
             JOIN core.observation q
               ON q.indicator_key = b.part_indicator_key AND q.period_key = b.part_period_key
              AND q.area_key = b.part_area_key AND q.region_key = p.region_key AND q.value IS NOT NULL
              AND q.recorded_at <= pointer.recorded_at AND q.superseded_at > pointer.recorded_at
             WHERE b.indicator_key = a.indicator_key AND b.period_key = a.period_key AND b.area_key = a.area_key
               AND b.result = a.result AND b.place = a.place
               AND b.recorded_at <= pointer.recorded_at AND b.superseded_at > pointer.recorded_at)));
COMMENT ON VIEW core.lineage IS 'Every figure of the release in force with the figures it is made of, by keys';

CREATE VIEW mart.lineage AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, r.region_code, r.name_zh AS region_name, r.region_level,
       p.period_code, p.period_start, (ARRAY['total', 'urban', 'rural'])[l.area_key + 1] AS area_type,
       l.value, i.unit, l.obs_status, l.role, l.place, l.factor,
       pi.code AS part_indicator_code, pi.name_zh AS part_indicator_name, pp.period_code AS part_period_code,
       pr.region_code AS part_region_code, pr.name_zh AS part_region_name,
       (ARRAY['total', 'urban', 'rural'])[l.part_area_key + 1] AS part_area_type,
       l.part_value, pi.unit AS part_unit, l.part_status, f.release_id, l.receipt_id, t.platform, t.form,
       t.period_code AS return_period_code, t.sequence, t.fetched_at, t.file_name, t.sha256, l.address AS source_cell
FROM core.lineage l
JOIN core.indicator i ON i.indicator_key = l.indicator_key
JOIN core.region r ON r.region_key = l.region_key
JOIN core.period p ON p.period_key = l.period_key
JOIN core.indicator pi ON pi.indicator_key = l.part_indicator_key
JOIN core.region pr ON pr.region_key = l.part_region_key
JOIN core.period pp ON pp.period_key = l.part_period_key
LEFT JOIN ops.refresh f ON f.recorded_at = l.part_recorded_at
LEFT JOIN ops.return_receipt t ON t.receipt_id = l.receipt_id;
COMMENT ON VIEW mart.lineage IS 'What each figure of the release in force is made of: its parts, and the return and cell of each; name indicator, period and region';
