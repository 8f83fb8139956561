-- Regions through time: dated changes of codes, codes of one day on the map of another, figures on today's map.

CREATE TABLE core.region_change (
    effective_date DATE NOT NULL,
    from_code TEXT NOT NULL,
    to_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_name TEXT NOT NULL,
    to_name TEXT NOT NULL,
    share DOUBLE PRECISION,
    CONSTRAINT region_change_pkey PRIMARY KEY (effective_date, from_code, to_code)
);
COMMENT ON TABLE core.region_change IS 'Dated changes of region codes';
COMMENT ON COLUMN core.region_change.effective_date IS 'first day of the new code';
COMMENT ON COLUMN core.region_change.from_code IS 'code before the change';
COMMENT ON COLUMN core.region_change.to_code IS 'code after it';
COMMENT ON COLUMN core.region_change.kind IS 'rename, merge, split, transfer or upgrade';
COMMENT ON COLUMN core.region_change.from_name IS 'Chinese name before the change';
COMMENT ON COLUMN core.region_change.to_name IS 'Chinese name after it';
COMMENT ON COLUMN core.region_change.share IS 'how much of the former region went there, by residents; null: all of it where it is the only change of a code that ends, else unknown';

CREATE TABLE core.observation_harmonised (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION,
    obs_status CHAR(1) NOT NULL,
    map_status TEXT NOT NULL,
    reported_codes TEXT NOT NULL,
    CONSTRAINT observation_harmonised_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, release_from)
);
COMMENT ON TABLE core.observation_harmonised IS 'Where figures differ on today''s map from those as reported, with its history by release';
COMMENT ON COLUMN core.observation_harmonised.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.observation_harmonised.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.observation_harmonised.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.observation_harmonised.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.observation_harmonised.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.observation_harmonised.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.observation_harmonised.value IS 'figure on today''s map, in the indicator''s unit; null: blank';
COMMENT ON COLUMN core.observation_harmonised.obs_status IS 'weakest status of its parts; E where a region was split by a share';
COMMENT ON COLUMN core.observation_harmonised.map_status IS 'renamed, merged, split, recomputed, left_… (stays at the reported code, and why), unmapped, moved (its figure is part of another row: not shown)';
COMMENT ON COLUMN core.observation_harmonised.reported_codes IS 'codes whose reported figures make it, separated by ;';

CREATE VIEW mart.region_change AS
SELECT c.effective_date, c.kind, c.from_code, c.from_name, c.to_code, c.to_name, c.share
FROM core.region_change c;
COMMENT ON VIEW mart.region_change IS 'Dated changes of region codes: renames, mergers, splits, transfers and upgrades';

-- What a code is divided into on a day; where it goes on, it keeps the rest. Another name of the same code is no step.
CREATE VIEW mart.region_step AS
SELECT c.effective_date, c.from_code, c.to_code, c.kind,
       CASE WHEN c.share IS NULL AND count(*) OVER (PARTITION BY c.from_code, c.effective_date) = 1
                 AND r.valid_to <= c.effective_date THEN 1 ELSE c.share END AS share
FROM core.region_change c
JOIN core.region r ON r.region_code = c.from_code
WHERE c.from_code <> c.to_code
UNION ALL
SELECT c.effective_date, c.from_code, c.from_code, min(c.kind),
       CASE WHEN count(*) = count(c.share) THEN 1 - sum(c.share) END
FROM core.region_change c
JOIN core.region r ON r.region_code = c.from_code AND (r.valid_to IS NULL OR r.valid_to > c.effective_date)
WHERE c.from_code <> c.to_code
GROUP BY c.effective_date, c.from_code;
COMMENT ON VIEW mart.region_step IS 'What a code became on a day, by shares that sum to 1; a share that nobody tells is null';

CREATE FUNCTION mart.region_succession(code text, from_day date, to_day date)
RETURNS TABLE (region_code text, share double precision, kinds text, is_mapped boolean) LANGUAGE sql STABLE AS $$
WITH RECURSIVE way(code, day, share, kinds) AS (
    SELECT region_succession.code, from_day, CAST(1 AS double precision), ''
    UNION ALL
    SELECT s.to_code, s.effective_date, w.share * s.share, w.kinds || CASE w.kinds WHEN '' THEN '' ELSE ';' END || s.kind
    FROM way w
    JOIN mart.region_step s ON s.from_code = w.code AND s.effective_date <= to_day
     AND s.effective_date = (SELECT min(n.effective_date) FROM mart.region_change n
                             WHERE n.from_code = w.code AND n.to_code <> n.from_code AND n.effective_date > w.day)
)
SELECT w.code, CASE WHEN count(*) = count(w.share) THEN sum(w.share) END, min(w.kinds),
       coalesce(bool_and(r.valid_to IS NULL OR r.valid_to > to_day), false)
FROM way w
LEFT JOIN mart.region r ON r.region_code = w.code
WHERE NOT EXISTS (SELECT FROM mart.region_change n WHERE n.from_code = w.code AND n.to_code <> n.from_code
                  AND n.effective_date > w.day AND n.effective_date <= to_day)
GROUP BY w.code
$$;
COMMENT ON FUNCTION mart.region_succession IS 'The codes that a region of one day has on a later day, with the share of it that each took (null: unknown); kinds are those of the changes on the way; is_mapped is false where the list ends a code and no dated change says what came after it';

CREATE FUNCTION mart.region_on_map(code text, from_day date, to_day date)
RETURNS TABLE (region_code text, share double precision, kinds text, is_mapped boolean) LANGUAGE sql STABLE AS $$
SELECT s.region_code, s.share, s.kinds, s.is_mapped
FROM mart.region_succession(region_on_map.code, from_day, to_day) s
WHERE to_day >= from_day
UNION ALL
SELECT r.region_code, s.share, s.kinds, s.is_mapped
FROM mart.region r
CROSS JOIN LATERAL mart.region_succession(r.region_code, to_day, from_day) s
WHERE to_day < from_day AND s.region_code = region_on_map.code
  AND (r.region_code = region_on_map.code OR r.region_code IN (SELECT n.from_code FROM mart.region_change n))
  AND (r.valid_from IS NULL OR r.valid_from <= to_day) AND (r.valid_to IS NULL OR r.valid_to > to_day)
$$;
COMMENT ON FUNCTION mart.region_on_map IS 'A code of one day''s map on the map of another, later or earlier; going back, share is how much of the former region it has';

CREATE VIEW mart.region_today AS
SELECT r.region_code, r.name_zh AS region_name, r.region_level, e.until, s.region_code AS today_code, t.name_zh AS today_name,
       s.share, s.kinds,
       CASE WHEN NOT bool_and(s.is_mapped) OVER each THEN 'unmapped'
            WHEN bool_or(left(s.region_code, 2) <> left(r.region_code, 2)) OVER each THEN 'left_other_province'
            WHEN bool_or(s.share IS NULL) OVER each THEN 'left_unsplit'
            WHEN count(*) OVER each > 1 THEN 'split'
            WHEN s.region_code = r.region_code THEN 'as_reported'
            WHEN s.kinds LIKE '%merge%' THEN 'merged' ELSE 'renamed' END AS map_status
FROM core.region r
CROSS JOIN LATERAL (
    SELECT CAST(NULL AS date) AS until WHERE r.valid_to IS NULL
    UNION ALL
    SELECT coalesce(r.valid_to, (SELECT min(c.effective_date) FROM core.region_change c
                                 WHERE c.from_code = r.region_code AND c.to_code <> r.region_code))
    WHERE r.valid_to IS NOT NULL OR EXISTS (SELECT FROM core.region_change c
                                            WHERE c.from_code = r.region_code AND c.to_code <> r.region_code)
) e
CROSS JOIN LATERAL (
    SELECT r.region_code, CAST(1 AS double precision) AS share, '' AS kinds, r.valid_to IS NULL AS is_mapped
    WHERE e.until IS NULL OR NOT EXISTS (SELECT FROM core.region_change c
                                         WHERE c.from_code = r.region_code AND c.to_code <> r.region_code)
    UNION ALL
    SELECT f.region_code, f.share, f.kinds, f.is_mapped
    FROM mart.region_succession(r.region_code, e.until - 1, CAST('9999-12-31' AS date)) f
    WHERE e.until IS NOT NULL AND EXISTS (SELECT FROM core.region_change c
                                          WHERE c.from_code = r.region_code AND c.to_code <> r.region_code)
) s
LEFT JOIN core.region t ON t.region_code = s.region_code
WINDOW each AS (PARTITION BY r.region_code, e.until);
COMMENT ON VIEW mart.region_today IS 'Every code, present and past, with the code that its region has today; a code that was divided and goes on stands twice, with the day until which it had its former extent';

-- Two branches with their names joined in each, so that a reader's filter reaches the fact's index: figures that do not differ
-- from those reported, and rows of the map. A row that is of one reported code names its return and cell.
CREATE VIEW mart.observation_harmonised AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start, p.period_end,
       (ARRAY['total', 'urban', 'rural'])[o.area_key + 1] AS area_type,
       o.value, i.unit, o.obs_status, CAST('as_reported' AS text) AS map_status, r.region_code AS reported_codes,
       i.kind = 'derived' OR o.receipt_id IS NULL AS is_computed,
       f.release_id, o.recorded_at, o.receipt_id, o.address AS source_cell
FROM mart.release_in_force pointer
JOIN core.observation o ON o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at
JOIN core.indicator i ON i.indicator_key = o.indicator_key
JOIN core.region r ON r.region_key = o.region_key
JOIN core.period p ON p.period_key = o.period_key
LEFT JOIN ops.refresh f ON f.recorded_at = o.recorded_at
WHERE NOT EXISTS (
    SELECT FROM core.observation_harmonised h
    WHERE h.indicator_key = o.indicator_key AND h.period_key = o.period_key AND h.region_key = o.region_key
      AND h.area_key = o.area_key
      AND h.release_from <= pointer.release_id AND (h.release_to IS NULL OR h.release_to > pointer.release_id)
)
UNION ALL
SELECT i.code, i.name_zh, i.sector, r.region_code, r.name_zh, r.region_level, r.region_group,
       p.period_code, p.period_start, p.period_end, (ARRAY['total', 'urban', 'rural'])[h.area_key + 1],
       h.value, i.unit, h.obs_status, h.map_status, h.reported_codes,
       i.kind = 'derived' OR o.receipt_id IS NULL, h.release_from, o.recorded_at, o.receipt_id, o.address
FROM mart.release_in_force pointer
JOIN core.observation_harmonised h
  ON h.release_from <= pointer.release_id AND (h.release_to IS NULL OR h.release_to > pointer.release_id)
JOIN core.indicator i ON i.indicator_key = h.indicator_key
JOIN core.region r ON r.region_key = h.region_key
JOIN core.period p ON p.period_key = h.period_key
LEFT JOIN core.observation o
  ON o.indicator_key = h.indicator_key AND o.period_key = h.period_key AND o.area_key = h.area_key
 AND o.region_key = CASE WHEN h.reported_codes NOT LIKE '%;%' THEN CAST(h.reported_codes AS integer) END
 AND o.value IS NOT DISTINCT FROM h.value
 AND o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at
WHERE h.map_status <> 'moved';
COMMENT ON VIEW mart.observation_harmonised IS 'Every figure of the release in force on today''s map: renamed codes, summed mergers, rates made again from their parts; map_status says how';

CREATE VIEW mart.region_coverage AS
SELECT h.map_status, i.sector, count(*) AS figures, count(DISTINCT h.region_key) AS regions
FROM mart.release_in_force pointer
JOIN core.observation_harmonised h
  ON h.release_from <= pointer.release_id AND (h.release_to IS NULL OR h.release_to > pointer.release_id)
JOIN core.indicator i ON i.indicator_key = h.indicator_key
WHERE h.map_status <> 'moved'
GROUP BY h.map_status, i.sector;
COMMENT ON VIEW mart.region_coverage IS 'Figures that differ on today''s map, or could not be read on it, by how and why: how many, of how many regions; unmapped ones are counted here';

-- A reader may call these; what they read are marts.
GRANT EXECUTE ON FUNCTION mart.region_succession(text, date, date), mart.region_on_map(text, date, date) TO bi_reader;
