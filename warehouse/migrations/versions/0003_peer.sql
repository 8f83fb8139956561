-- Peers: each province beside those most like it.

CREATE TABLE core.peer (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION NOT NULL,
    peers TEXT NOT NULL,
    best_peer_key INTEGER,
    best_peer_value DOUBLE PRECISION,
    gap_to_best DOUBLE PRECISION,
    peers_mean DOUBLE PRECISION,
    rank SMALLINT,
    obs_status CHAR(1) NOT NULL,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT peer_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, release_from)
);
COMMENT ON TABLE core.peer IS 'mart.peer with its history by release';
COMMENT ON COLUMN core.peer.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.peer.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.peer.region_key IS 'province: its code as a number';
COMMENT ON COLUMN core.peer.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.peer.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.peer.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.peer.value IS 'figure of the province';
COMMENT ON COLUMN core.peer.peers IS 'codes of its peers, nearest first, separated by ;';
COMMENT ON COLUMN core.peer.best_peer_key IS 'best of the peers: its code as a number';
COMMENT ON COLUMN core.peer.best_peer_value IS 'figure of the best peer';
COMMENT ON COLUMN core.peer.gap_to_best IS 'figure less the best peer''s in the good direction: negative where behind';
COMMENT ON COLUMN core.peer.peers_mean IS 'plain mean of the peers'' figures';
COMMENT ON COLUMN core.peer.rank IS 'rank of the province among itself and its peers, 1 the best';
COMMENT ON COLUMN core.peer.obs_status IS 'status of the province''s figure';
COMMENT ON COLUMN core.peer.units IS 'peers that have a figure';
COMMENT ON COLUMN core.peer.units_missing IS 'peers that can have one and have not';
COMMENT ON COLUMN core.peer.units_estimated IS 'peers whose figure is an estimate';
COMMENT ON COLUMN core.peer.coverage IS 'share of the peers that can have a figure that have one';
COMMENT ON COLUMN core.peer.grade IS 'A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.peer.status IS 'ok, or why nothing is compared';
CREATE INDEX peer_release_from_idx ON core.peer USING brin (release_from);
CREATE INDEX peer_release_to_idx ON core.peer (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.peer_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.value, i.unit, m.obs_status, m.peers,
       b.region_code AS best_peer_code, b.name_zh AS best_peer_name, m.best_peer_value, m.gap_to_best, m.peers_mean,
       m.rank, m.units, m.units_missing, m.units_estimated, m.coverage, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.peer m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key
LEFT JOIN core.region b ON b.region_key = m.best_peer_key;
COMMENT ON VIEW mart.peer_history IS 'mart.peer of every release';

CREATE VIEW mart.peer AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.area_type, h.value, h.unit, h.obs_status, h.peers, h.best_peer_code,
       h.best_peer_name, h.best_peer_value, h.gap_to_best, h.peers_mean, h.rank, h.units, h.units_missing,
       h.units_estimated, h.coverage, h.grade, h.status, h.release_from AS release_id
FROM mart.peer_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.peer IS 'Each province beside the five most like it in size, income and urban share: the best of them and the distance to it';
