-- How far figures moved since their first release. Frozen once released: later changes are later migrations.

-- The states of each slice (indicator, period) that readers saw, numbered from 0, each with the first release that showed it.
CREATE VIEW core.slice_state AS
SELECT d.indicator_key, d.period_key, f.release_id, f.recorded_at,
       row_number() OVER (PARTITION BY d.indicator_key, d.period_key ORDER BY f.release_id) - 1 AS release_number,
       first_value(f.release_id) OVER (PARTITION BY d.indicator_key, d.period_key ORDER BY f.release_id) AS first_release_id,
       count(*) OVER (PARTITION BY d.indicator_key, d.period_key) - 1 AS last_release_number
FROM ops.slice_digest d
JOIN mart.release_horizon z ON d.release_from <= z.release_id
CROSS JOIN LATERAL (
  SELECT l.release_id, l.recorded_at FROM ops.release l
  WHERE l.status = 'published' AND l.release_id BETWEEN d.release_from AND z.release_id
    AND (d.release_to IS NULL OR l.release_id < d.release_to)
  ORDER BY l.release_id LIMIT 1) f
WHERE d.mart = 'observation';
COMMENT ON VIEW core.slice_state IS 'States of each indicator and period that readers saw, numbered from 0';

-- The figures that ever changed, with the value that was released first.
CREATE VIEW core.first_released AS
SELECT DISTINCT ON (o.indicator_key, o.period_key, o.region_key, o.area_key)
       o.indicator_key, o.period_key, o.region_key, o.area_key, o.value AS first_value, o.recorded_at
FROM core.observation o
JOIN mart.release_horizon z ON o.superseded_at <= z.recorded_at
WHERE o.superseded_at < 'infinity' AND o.value IS NOT NULL
  AND EXISTS (SELECT FROM ops.release l
              WHERE l.status = 'published' AND l.recorded_at >= o.recorded_at AND l.recorded_at < o.superseded_at)
ORDER BY o.indicator_key, o.period_key, o.region_key, o.area_key, o.recorded_at;
COMMENT ON VIEW core.first_released IS 'Figures that ever changed, with the value that was released first';

-- By keys, so that names are looked up once for each row that is shown and not for each figure.
CREATE VIEW core.moved_slice AS
SELECT f.indicator_key, f.period_key, r.region_level, s.release_number, s.last_release_number, s.release_id,
       s.first_release_id,
       count(*) FILTER (WHERE o.value <> f.first_value) AS revised,
       count(*) FILTER (WHERE o.value IS NULL) AS withdrawn,
       avg((o.value - f.first_value) / nullif(abs(f.first_value), 0)) FILTER (WHERE o.value <> f.first_value) AS mean_change,
       avg(abs(o.value - f.first_value) / nullif(abs(f.first_value), 0)) FILTER (WHERE o.value <> f.first_value)
         AS mean_absolute_change,
       max(abs(o.value - f.first_value) / nullif(abs(f.first_value), 0)) FILTER (WHERE o.value <> f.first_value)
         AS largest_change
FROM core.first_released f
JOIN core.slice_state s ON s.indicator_key = f.indicator_key AND s.period_key = f.period_key
                       AND s.recorded_at >= f.recorded_at
JOIN core.region r ON r.region_key = f.region_key
LEFT JOIN core.observation o
  ON o.indicator_key = f.indicator_key AND o.period_key = f.period_key AND o.region_key = f.region_key
 AND o.area_key = f.area_key AND o.recorded_at <= s.recorded_at AND o.superseded_at > s.recorded_at
GROUP BY f.indicator_key, f.period_key, r.region_level, s.release_number, s.last_release_number, s.release_id,
         s.first_release_id;
COMMENT ON VIEW core.moved_slice IS 'mart.revision_triangle by keys';

CREATE VIEW mart.revision_triangle AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start, m.region_level,
       m.release_number, m.release_id, m.first_release_id, m.revised, m.withdrawn, m.mean_change, m.mean_absolute_change,
       m.largest_change
FROM core.moved_slice m
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.revision_triangle IS 'How far the figures of an indicator and period had moved from their first release by each later release that changed any of them; periods of which a figure ever changed';

CREATE VIEW mart.revision_triangle_summary AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, m.region_level, count(*) AS periods,
       max(m.last_release_number) AS most_releases, sum(m.revised) AS revised,
       sum(m.mean_change * m.revised) / nullif(sum(m.revised), 0) AS mean_change,
       sum(m.mean_absolute_change * m.revised) / nullif(sum(m.revised), 0) AS mean_absolute_change,
       max(m.largest_change) AS largest_change
FROM core.moved_slice m
JOIN core.indicator i ON i.indicator_key = m.indicator_key
WHERE m.release_number = m.last_release_number
GROUP BY i.code, i.name_zh, i.sector, m.region_level;
COMMENT ON VIEW mart.revision_triangle_summary IS 'How far an indicator''s figures have usually moved in the end: what to expect of one that was released for the first time';
