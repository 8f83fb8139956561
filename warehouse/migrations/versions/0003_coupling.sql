-- Coupling: whether employment, education and health rise together.

CREATE TABLE core.coupling (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    score_employment DOUBLE PRECISION,
    score_education DOUBLE PRECISION,
    score_health DOUBLE PRECISION,
    coupling DOUBLE PRECISION,
    level DOUBLE PRECISION,
    coordination DOUBLE PRECISION,
    obs_status CHAR(1),
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT coupling_pkey PRIMARY KEY (indicator_key, period_key, region_key, release_from)
);
COMMENT ON TABLE core.coupling IS 'mart.coupling with its history by release';
COMMENT ON COLUMN core.coupling.indicator_key IS 'overall index (core.indicator, kind index)';
COMMENT ON COLUMN core.coupling.period_key IS 'year (core.period), with the school year that begins in it';
COMMENT ON COLUMN core.coupling.region_key IS 'province: its code as a number';
COMMENT ON COLUMN core.coupling.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.coupling.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.coupling.score_employment IS 'entropy score of the employment index, 0 to 1';
COMMENT ON COLUMN core.coupling.score_education IS 'entropy score of the education index, 0 to 1';
COMMENT ON COLUMN core.coupling.score_health IS 'entropy score of the health index, 0 to 1';
COMMENT ON COLUMN core.coupling.coupling IS 'C: how equal the three scores are, 0 to 1; never read it without level';
COMMENT ON COLUMN core.coupling.level IS 'T: mean of the three scores, 0 to 1';
COMMENT ON COLUMN core.coupling.coordination IS 'D, the root of C times T: equal and high, 0 to 1';
COMMENT ON COLUMN core.coupling.obs_status IS 'weakest status of all members; null where none has a figure';
COMMENT ON COLUMN core.coupling.units IS 'provinces of the year with all three scores';
COMMENT ON COLUMN core.coupling.units_missing IS 'provinces in which all members can exist and a score is missing';
COMMENT ON COLUMN core.coupling.units_estimated IS 'provinces with all three scores of which any rests on an estimate';
COMMENT ON COLUMN core.coupling.coverage IS 'share of the provinces in which all members can exist that have all three scores';
COMMENT ON COLUMN core.coupling.grade IS 'of the year: A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.coupling.status IS 'ok, or why there is no coupling';
CREATE INDEX coupling_release_from_idx ON core.coupling USING brin (release_from);
CREATE INDEX coupling_release_to_idx ON core.coupling (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.coupling_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start, m.score_employment, m.score_education,
       m.score_health, m.coupling, m.level, m.coordination, i.unit, m.obs_status, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.coupling m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.coupling_history IS 'mart.coupling of every release';

CREATE VIEW mart.coupling AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.score_employment, h.score_education, h.score_health, h.coupling, h.level,
       h.coordination, h.unit, h.obs_status, h.units, h.units_missing, h.units_estimated, h.coverage, h.grade,
       h.status, h.release_from AS release_id
FROM mart.coupling_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.coupling IS 'Whether the three sectors rise together in a province: coupling, level and coordination of their scores';
