-- Composite indices: scores of provinces by year, their ranks, and how sure those are.

COMMENT ON COLUMN core.indicator.sector IS 'context, employment, education or health; overall: an index over all';
COMMENT ON COLUMN core.indicator.kind IS 'base (a return carries it), derived (computed), or index (a composite score of several)';

CREATE TABLE core.composite_index (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    members SMALLINT NOT NULL,
    members_missing SMALLINT NOT NULL,
    score_entropy DOUBLE PRECISION,
    score_critic DOUBLE PRECISION,
    score_equal DOUBLE PRECISION,
    topsis DOUBLE PRECISION,
    rank_entropy SMALLINT,
    rank_critic SMALLINT,
    rank_equal SMALLINT,
    rank_topsis SMALLINT,
    rank_best SMALLINT,
    rank_median DOUBLE PRECISION,
    rank_worst SMALLINT,
    rank_mc_median SMALLINT,
    rank_p05 SMALLINT,
    rank_p95 SMALLINT,
    sensitivity_weights DOUBLE PRECISION,
    sensitivity_normalisation DOUBLE PRECISION,
    sensitivity_rounding DOUBLE PRECISION,
    moves_most TEXT,
    obs_status CHAR(1),
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT composite_index_pkey PRIMARY KEY (indicator_key, period_key, region_key, release_from)
);
COMMENT ON TABLE core.composite_index IS 'mart.composite_index with its history by release';
COMMENT ON COLUMN core.composite_index.indicator_key IS 'index (core.indicator, kind index)';
COMMENT ON COLUMN core.composite_index.period_key IS 'year (core.period), with the school year that begins in it';
COMMENT ON COLUMN core.composite_index.region_key IS 'province: its code as a number';
COMMENT ON COLUMN core.composite_index.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.composite_index.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.composite_index.members IS 'members of the index that have a figure here';
COMMENT ON COLUMN core.composite_index.members_missing IS 'members that have none';
COMMENT ON COLUMN core.composite_index.score_entropy IS 'score with entropy weights, 0 to 1';
COMMENT ON COLUMN core.composite_index.score_critic IS 'score with CRITIC weights, 0 to 1; null where they are undefined';
COMMENT ON COLUMN core.composite_index.score_equal IS 'score with equal weights, 0 to 1';
COMMENT ON COLUMN core.composite_index.topsis IS 'TOPSIS closeness with entropy weights, 0 to 1';
COMMENT ON COLUMN core.composite_index.rank_entropy IS 'rank of the year by score_entropy, 1 the best';
COMMENT ON COLUMN core.composite_index.rank_critic IS 'rank of the year by score_critic';
COMMENT ON COLUMN core.composite_index.rank_equal IS 'rank of the year by score_equal';
COMMENT ON COLUMN core.composite_index.rank_topsis IS 'rank of the year by topsis';
COMMENT ON COLUMN core.composite_index.rank_best IS 'best of the ranks over the four ways';
COMMENT ON COLUMN core.composite_index.rank_median IS 'their median';
COMMENT ON COLUMN core.composite_index.rank_worst IS 'worst of them';
COMMENT ON COLUMN core.composite_index.rank_mc_median IS 'median of 1,000 drawn ranks';
COMMENT ON COLUMN core.composite_index.rank_p05 IS '5th percentile of the drawn ranks';
COMMENT ON COLUMN core.composite_index.rank_p95 IS '95th percentile of the drawn ranks';
COMMENT ON COLUMN core.composite_index.sensitivity_weights IS 'share of the year''s shift of ranks that the weights explain alone (estimated: may fall below 0)';
COMMENT ON COLUMN core.composite_index.sensitivity_normalisation IS 'the same of the way of normalising';
COMMENT ON COLUMN core.composite_index.sensitivity_rounding IS 'the same of the last printed digit';
COMMENT ON COLUMN core.composite_index.moves_most IS 'choice that moves ranks most: weights, normalisation or rounding';
COMMENT ON COLUMN core.composite_index.obs_status IS 'weakest status of the members; null where none has a figure';
COMMENT ON COLUMN core.composite_index.units IS 'provinces of the year with all members';
COMMENT ON COLUMN core.composite_index.units_missing IS 'provinces in which all can exist and one has no figure';
COMMENT ON COLUMN core.composite_index.units_estimated IS 'provinces with all members of which any is estimated';
COMMENT ON COLUMN core.composite_index.coverage IS 'share of the provinces in which all can exist that have all';
COMMENT ON COLUMN core.composite_index.grade IS 'of the year: A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.composite_index.status IS 'ok, or why there is no score';
CREATE INDEX composite_index_release_from_idx ON core.composite_index USING brin (release_from);
CREATE INDEX composite_index_release_to_idx ON core.composite_index (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.composite_index_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start, m.members, m.members_missing, m.score_entropy,
       m.score_critic, m.score_equal, m.topsis, i.unit, m.rank_entropy,
       m.rank_entropy || ' (90 %: ' || m.rank_p05 || '–' || m.rank_p95 || ')' AS rank_text, m.rank_critic,
       m.rank_equal, m.rank_topsis, m.rank_best, m.rank_median, m.rank_worst, m.rank_mc_median, m.rank_p05,
       m.rank_p95, m.sensitivity_weights, m.sensitivity_normalisation, m.sensitivity_rounding, m.moves_most,
       m.obs_status, m.units, m.units_missing, m.units_estimated, m.coverage, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.composite_index m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.composite_index_history IS 'mart.composite_index of every release';

CREATE VIEW mart.composite_index AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.members, h.members_missing, h.score_entropy, h.score_critic, h.score_equal,
       h.topsis, h.unit, h.rank_entropy, h.rank_text, h.rank_critic, h.rank_equal, h.rank_topsis, h.rank_best,
       h.rank_median, h.rank_worst, h.rank_mc_median, h.rank_p05, h.rank_p95, h.sensitivity_weights,
       h.sensitivity_normalisation, h.sensitivity_rounding, h.moves_most, h.obs_status, h.units, h.units_missing,
       h.units_estimated, h.coverage, h.grade, h.status, h.release_from AS release_id
FROM mart.composite_index_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.composite_index IS 'Composite indices of provinces by sector and over all: scores by three weightings and TOPSIS, ranks of the year with their range and their 90 % interval';
