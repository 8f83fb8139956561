-- Schools: the roster of each county's schools as returned, and whether a county's compulsory education is balanced.

CREATE TABLE core.school_balance_line (
    resource_number SMALLINT NOT NULL,
    resource_code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    unit TEXT NOT NULL,
    primary_line DOUBLE PRECISION NOT NULL,
    junior_secondary_line DOUBLE PRECISION NOT NULL,
    primary_cv_limit DOUBLE PRECISION NOT NULL,
    junior_secondary_cv_limit DOUBLE PRECISION NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT school_balance_line_pkey PRIMARY KEY (resource_number),
    CONSTRAINT school_balance_line_resource_code_key UNIQUE (resource_code)
);
COMMENT ON TABLE core.school_balance_line IS 'Resources of a school, with the lines and limits of the balance of compulsory education';
COMMENT ON COLUMN core.school_balance_line.resource_number IS 'number of the resource in the rule';
COMMENT ON COLUMN core.school_balance_line.resource_code IS 'resource code';
COMMENT ON COLUMN core.school_balance_line.name_zh IS 'Chinese name';
COMMENT ON COLUMN core.school_balance_line.name_en IS 'English name';
COMMENT ON COLUMN core.school_balance_line.unit IS 'unit of lines and means';
COMMENT ON COLUMN core.school_balance_line.primary_line IS 'least for a primary school';
COMMENT ON COLUMN core.school_balance_line.junior_secondary_line IS 'least for a junior secondary school';
COMMENT ON COLUMN core.school_balance_line.primary_cv_limit IS 'largest CV between the primary schools of a county';
COMMENT ON COLUMN core.school_balance_line.junior_secondary_cv_limit IS 'largest CV between the junior secondary schools of a county';
COMMENT ON COLUMN core.school_balance_line.source IS 'document they come from';

CREATE TABLE core.school_resource (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    school_code TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    superseded_at TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL,
    school_name TEXT NOT NULL,
    pupils DOUBLE PRECISION,
    qualified_teachers DOUBLE PRECISION,
    key_teachers DOUBLE PRECISION,
    arts_sports_teachers DOUBLE PRECISION,
    teaching_area DOUBLE PRECISION,
    sports_area DOUBLE PRECISION,
    equipment_value DOUBLE PRECISION,
    networked_rooms DOUBLE PRECISION,
    obs_status CHAR(1) NOT NULL,
    receipt_id BIGINT NOT NULL,
    addresses TEXT NOT NULL,
    end_reason TEXT,
    ended_by BIGINT,
    CONSTRAINT school_resource_pkey PRIMARY KEY (indicator_key, period_key, region_key, school_code, recorded_at)
);
COMMENT ON TABLE core.school_resource IS 'Rosters of schools: every vintage of every school and stage, with its pupils and seven amounts';
COMMENT ON COLUMN core.school_resource.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.school_resource.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.school_resource.region_key IS 'county the school is of: its code as a number';
COMMENT ON COLUMN core.school_resource.school_code IS 'code of the school, as its return has it';
COMMENT ON COLUMN core.school_resource.recorded_at IS 'moment of the refresh that recorded this vintage';
COMMENT ON COLUMN core.school_resource.superseded_at IS 'moment of the refresh that replaced it; infinity: current';
COMMENT ON COLUMN core.school_resource.school_name IS 'name of the school';
COMMENT ON COLUMN core.school_resource.pupils IS 'pupils of the stage; null: blank, or its cell is in quarantine';
COMMENT ON COLUMN core.school_resource.qualified_teachers IS 'teachers above the required degree; null: as of pupils';
COMMENT ON COLUMN core.school_resource.key_teachers IS 'key teachers of county level or higher; null: as of pupils';
COMMENT ON COLUMN core.school_resource.arts_sports_teachers IS 'full-time teachers of sports and arts; null: as of pupils';
COMMENT ON COLUMN core.school_resource.teaching_area IS 'floor area for teaching, m2; null: as of pupils';
COMMENT ON COLUMN core.school_resource.sports_area IS 'area for sports, m2; null: as of pupils';
COMMENT ON COLUMN core.school_resource.equipment_value IS 'value of teaching equipment, CNY; null: as of pupils';
COMMENT ON COLUMN core.school_resource.networked_rooms IS 'networked multimedia rooms; null: as of pupils';
COMMENT ON COLUMN core.school_resource.obs_status IS 'weakest SDMX OBS_STATUS of its figures; M: none has a value';
COMMENT ON COLUMN core.school_resource.receipt_id IS 'return it comes from (ops.return_receipt)';
COMMENT ON COLUMN core.school_resource.addresses IS 'cells of pupils and the seven amounts, in the order of the columns, separated by |; empty: in quarantine';
COMMENT ON COLUMN core.school_resource.end_reason IS 'why it ended: revision, withdrawn, misread; null: current';
COMMENT ON COLUMN core.school_resource.ended_by IS 'return that ended it (ops.return_receipt); null: current';
CREATE INDEX school_resource_receipt_id_idx ON core.school_resource (receipt_id);

CREATE TABLE core.county_balance (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    resource_code TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    schools INTEGER NOT NULL,
    schools_missing INTEGER NOT NULL,
    schools_estimated INTEGER NOT NULL,
    pupils DOUBLE PRECISION NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    mean DOUBLE PRECISION,
    line DOUBLE PRECISION,
    schools_meeting INTEGER NOT NULL,
    cv DOUBLE PRECISION,
    cv_limit DOUBLE PRECISION,
    passes_cv BOOLEAN,
    passes BOOLEAN,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT county_balance_pkey PRIMARY KEY (indicator_key, period_key, region_key, resource_code, release_from)
);
COMMENT ON TABLE core.county_balance IS 'mart.county_balance with its history by release';
COMMENT ON COLUMN core.county_balance.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.county_balance.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.county_balance.region_key IS 'county: its code as a number';
COMMENT ON COLUMN core.county_balance.resource_code IS 'one of the seven resources, or ALL: the verdict on the county';
COMMENT ON COLUMN core.county_balance.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.county_balance.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.county_balance.schools IS 'schools with pupils that the row rests on';
COMMENT ON COLUMN core.county_balance.schools_missing IS 'schools that have no known pupils, or pupils and no figure';
COMMENT ON COLUMN core.county_balance.schools_estimated IS 'schools whose figures are estimated or provisional';
COMMENT ON COLUMN core.county_balance.pupils IS 'pupils of those schools';
COMMENT ON COLUMN core.county_balance.coverage IS 'share of schools that have a figure, or of pupils in them, whichever is less';
COMMENT ON COLUMN core.county_balance.mean IS 'resource a pupil (or 100 pupils) in the county; ALL: null';
COMMENT ON COLUMN core.county_balance.line IS 'least a school of the stage should have; ALL: null';
COMMENT ON COLUMN core.county_balance.schools_meeting IS 'schools at the line; ALL: at 6 of the 7 lines or more, and at 0.85 of the other';
COMMENT ON COLUMN core.county_balance.cv IS 'CV between schools, weighted by pupils; ALL: the largest of the seven';
COMMENT ON COLUMN core.county_balance.cv_limit IS 'largest CV allowed; ALL: null where it is not the same for all seven';
COMMENT ON COLUMN core.county_balance.passes_cv IS 'whether the CV is within its limit; ALL: whether all seven are';
COMMENT ON COLUMN core.county_balance.passes IS 'ALL: whether the county passes, all CVs and every school; else null';
COMMENT ON COLUMN core.county_balance.grade IS 'A all checks passed, B warnings, C estimated or schools missing';
COMMENT ON COLUMN core.county_balance.status IS 'ok, or why nothing is said';
CREATE INDEX county_balance_release_from_idx ON core.county_balance USING brin (release_from);
CREATE INDEX county_balance_release_to_idx ON core.county_balance (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.school_resource_history AS
SELECT i.code AS indicator_code, CASE i.code WHEN 'SCHOOL_BALANCE_PRIMARY' THEN 'primary' ELSE 'junior_secondary' END AS stage,
       r.region_code, r.name_zh AS region_name, r.region_level, r.region_group, p.period_code, p.period_start, s.school_code,
       s.school_name, s.pupils, s.qualified_teachers, s.key_teachers, s.arts_sports_teachers, s.teaching_area, s.sports_area,
       s.equipment_value, s.networked_rooms,
       s.obs_status, f.release_id, s.recorded_at,
       CASE WHEN s.superseded_at <= z.recorded_at THEN s.superseded_at END AS superseded_at,
       CASE WHEN s.superseded_at <= z.recorded_at THEN s.end_reason END AS end_reason, s.receipt_id, s.addresses AS source_cells
FROM mart.release_horizon z
JOIN core.school_resource s ON s.recorded_at <= z.recorded_at
JOIN core.indicator i ON i.indicator_key = s.indicator_key
JOIN core.region r ON r.region_key = s.region_key
JOIN core.period p ON p.period_key = s.period_key
LEFT JOIN ops.refresh f ON f.recorded_at = s.recorded_at;
COMMENT ON VIEW mart.school_resource_history IS 'Every vintage of every school of the rosters, current ones and those that were replaced or withdrawn';

CREATE VIEW mart.school_resource AS
SELECT i.code AS indicator_code, CASE i.code WHEN 'SCHOOL_BALANCE_PRIMARY' THEN 'primary' ELSE 'junior_secondary' END AS stage,
       r.region_code, r.name_zh AS region_name, r.region_level, r.region_group, p.period_code, p.period_start, s.school_code,
       s.school_name, s.pupils, s.qualified_teachers, s.key_teachers, s.arts_sports_teachers, s.teaching_area, s.sports_area,
       s.equipment_value, s.networked_rooms,
       s.obs_status, f.release_id, s.recorded_at, s.receipt_id, s.addresses AS source_cells
FROM mart.release_in_force pointer
JOIN core.school_resource s ON s.recorded_at <= pointer.recorded_at AND s.superseded_at > pointer.recorded_at
JOIN core.indicator i ON i.indicator_key = s.indicator_key
JOIN core.region r ON r.region_key = s.region_key
JOIN core.period p ON p.period_key = s.period_key
LEFT JOIN ops.refresh f ON f.recorded_at = s.recorded_at;
COMMENT ON VIEW mart.school_resource IS 'Schools of the pilot counties with their pupils and seven resources, by stage, as the rosters in force have them';

CREATE VIEW mart.county_balance_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, CASE i.code WHEN 'SCHOOL_BALANCE_PRIMARY' THEN 'primary' ELSE 'junior_secondary' END AS stage,
       r.region_code, r.name_zh AS region_name, r.region_level, r.region_group, p.period_code, p.period_start,
       m.resource_code, CASE m.resource_code WHEN 'ALL' THEN i.name_zh ELSE l.name_zh END AS resource_name,
       m.schools, m.schools_missing, m.schools_estimated, m.pupils,
       m.coverage, m.mean, l.unit, m.line, m.schools_meeting, m.cv, m.cv_limit, m.passes_cv, m.passes, m.grade, m.status,
       m.release_from, CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.county_balance m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key
LEFT JOIN core.school_balance_line l ON l.resource_code = m.resource_code;
COMMENT ON VIEW mart.county_balance_history IS 'mart.county_balance of every release';

CREATE VIEW mart.county_balance AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.stage, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.resource_code, h.resource_name, h.schools, h.schools_missing, h.schools_estimated,
       h.pupils, h.coverage, h.mean, h.unit, h.line, h.schools_meeting, h.cv, h.cv_limit, h.passes_cv, h.passes, h.grade,
       h.status, h.release_from AS release_id
FROM mart.county_balance_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.county_balance IS 'Balance of compulsory education between the schools of a county: CV and lines of seven resources by stage, and the verdict (resource ALL)';
