-- Reforms, and what the gap they should close did before and after. Frozen once released: later changes are later migrations.

CREATE TABLE core.milestone (
    milestone_code TEXT NOT NULL,
    indicator_key SMALLINT NOT NULL,
    year SMALLINT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    document TEXT NOT NULL,
    CONSTRAINT milestone_pkey PRIMARY KEY (milestone_code, indicator_key)
);
COMMENT ON TABLE core.milestone IS 'Reforms and the indicators they should show on';
COMMENT ON COLUMN core.milestone.milestone_code IS 'code of the reform';
COMMENT ON COLUMN core.milestone.indicator_key IS 'indicator on whose gap it should show';
COMMENT ON COLUMN core.milestone.year IS 'year of the reform';
COMMENT ON COLUMN core.milestone.name_zh IS 'Chinese name of the reform';
COMMENT ON COLUMN core.milestone.name_en IS 'English name of the reform';
COMMENT ON COLUMN core.milestone.document IS 'document it comes from';

-- The gap of an indicator that has town and country; and of any with a total, how far the provinces are apart.
CREATE VIEW core.milestone_series AS
SELECT l.milestone_code, g.indicator_code, g.region_code, g.period_code, g.period_start, 'urban_rural_ratio' AS measure,
       g.ratio AS value, g.urban_value, g.rural_value, g.difference, g.obs_status IN ('A', 'P', 'B') AS is_published,
       g.status, g.release_id
FROM core.milestone l
JOIN core.indicator gi ON gi.indicator_key = l.indicator_key
JOIN mart.urban_rural_gap g ON g.indicator_code = gi.code
WHERE g.region_level IN ('nation', 'province')
UNION ALL
SELECT l2.milestone_code, q.indicator_code, '000000', q.period_code, q.period_start, 'cv', q.cv, NULL, NULL, NULL,
       q.units_estimated = 0, q.status, q.release_id
FROM core.milestone l2
JOIN core.indicator qi ON qi.indicator_key = l2.indicator_key
JOIN mart.inequality q ON q.indicator_code = qi.code
WHERE q.scope = 'nation:province' AND q.weighting = 'none' AND q.area_type = 'total';
COMMENT ON VIEW core.milestone_series IS 'Gap series of the indicators of each reform';

CREATE VIEW mart.reform_milestone AS
SELECT s.milestone_code, l.name_zh AS milestone_name, l.name_en AS milestone_name_en, l.year AS milestone_year, l.document,
       s.indicator_code, i.name_zh AS indicator_name, i.sector, s.region_code, r.name_zh AS region_name, r.region_level,
       s.period_code, s.period_start, CAST(date_part('year', s.period_start) AS integer) - l.year AS years_since, s.measure,
       s.value, s.urban_value, s.rural_value, s.difference, i.unit, s.is_published,
       NOT EXISTS (SELECT FROM core.indicator_break b
                   WHERE b.indicator_key = l.indicator_key
                     AND (b.region_code IS NULL OR b.region_code = s.region_code OR s.measure = 'cv')
                     AND (b.area_type IS NULL OR (b.area_type = 'total') = (s.measure = 'cv'))
                     AND b.first_year > least(l.year, date_part('year', s.period_start))
                     AND b.first_year <= greatest(l.year, date_part('year', s.period_start))) AS is_comparable,
       s.status, s.release_id
FROM core.milestone_series s
JOIN core.indicator i ON i.code = s.indicator_code
JOIN core.milestone l ON l.milestone_code = s.milestone_code AND l.indicator_key = i.indicator_key
JOIN core.period p ON p.period_code = s.period_code
JOIN core.region r ON r.region_code = s.region_code
WHERE p.kind IN ('year', 'school_year');
COMMENT ON VIEW mart.reform_milestone IS 'Reforms and, year by year before and after, the gap of town and country they should close (the ratio) and the spread of the provinces (the CV)';

CREATE VIEW mart.reform_milestone_summary AS
SELECT m.milestone_code, m.milestone_name, m.milestone_name_en, m.milestone_year, m.document, m.indicator_code,
       m.indicator_name, m.sector, m.region_code, m.region_name, m.region_level, m.measure,
       count(*) FILTER (WHERE m.years_since < 0) AS years_before,
       count(*) FILTER (WHERE m.years_since >= 0) AS years_after,
       avg(m.value) FILTER (WHERE m.years_since < 0) AS mean_before,
       avg(m.value) FILTER (WHERE m.years_since >= 0) AS mean_after,
       avg(m.value) FILTER (WHERE m.years_since >= 0) - avg(m.value) FILTER (WHERE m.years_since < 0) AS difference,
       CASE WHEN count(*) FILTER (WHERE m.years_since < 0) >= 3
            THEN regr_slope(m.value, m.years_since) FILTER (WHERE m.years_since < 0) END AS slope_before,
       CASE WHEN count(*) FILTER (WHERE m.years_since >= 0) >= 3
            THEN regr_slope(m.value, m.years_since) FILTER (WHERE m.years_since >= 0) END AS slope_after,
       CASE WHEN count(*) FILTER (WHERE m.years_since < 0) > 0 AND count(*) FILTER (WHERE m.years_since >= 0) > 0 THEN 'ok'
            ELSE 'too_few_years' END AS status
FROM mart.reform_milestone m
WHERE m.is_published AND m.is_comparable AND m.status = 'ok'
GROUP BY m.milestone_code, m.milestone_name, m.milestone_name_en, m.milestone_year, m.document, m.indicator_code,
         m.indicator_name, m.sector, m.region_code, m.region_name, m.region_level, m.measure;
COMMENT ON VIEW mart.reform_milestone_summary IS 'mart.reform_milestone before and after in numbers: means, and slopes a year from three years on; published figures that no break of definition parts from the year of the reform';
