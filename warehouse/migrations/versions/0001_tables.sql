-- The first schema: tables of core, ops and staging. Frozen: later changes are later migrations.

CREATE SCHEMA core;
CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA staging;
CREATE SCHEMA mart;
CREATE SEQUENCE ops.receipt_id_seq;

CREATE TABLE core.attainment (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    standard_key SMALLINT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION NOT NULL,
    obs_status CHAR(1) NOT NULL,
    floor_value DOUBLE PRECISION NOT NULL,
    floor_kind TEXT NOT NULL,
    margin DOUBLE PRECISION NOT NULL,
    attained BOOLEAN NOT NULL,
    CONSTRAINT attainment_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, standard_key, release_from)
);
COMMENT ON TABLE core.attainment IS 'mart.attainment with its history by release';
COMMENT ON COLUMN core.attainment.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.attainment.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.attainment.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.attainment.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.attainment.standard_key IS 'step of the standard (core.standard_value)';
COMMENT ON COLUMN core.attainment.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.attainment.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.attainment.value IS 'observed value';
COMMENT ON COLUMN core.attainment.obs_status IS 'status of the observation';
COMMENT ON COLUMN core.attainment.floor_value IS 'value of the standard in force';
COMMENT ON COLUMN core.attainment.floor_kind IS 'floor, target or reference';
COMMENT ON COLUMN core.attainment.margin IS '(value - floor) / floor, positive on the good side';
COMMENT ON COLUMN core.attainment.attained IS 'whether the standard is met: margin >= 0';
CREATE INDEX attainment_release_from_idx ON core.attainment USING brin (release_from);
CREATE INDEX attainment_release_to_idx ON core.attainment (release_to) WHERE release_to IS NOT NULL;

CREATE TABLE core.indicator (
    indicator_key SMALLINT NOT NULL,
    code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    sector TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    numerator TEXT,
    denominator TEXT,
    multiplier DOUBLE PRECISION,
    frequency TEXT NOT NULL,
    area_types TEXT NOT NULL,
    area_definition TEXT,
    finest_level TEXT NOT NULL,
    direction TEXT NOT NULL,
    aggregation TEXT NOT NULL,
    is_cumulative BOOLEAN NOT NULL,
    is_comparable BOOLEAN NOT NULL,
    weight_indicator TEXT,
    plausible_min DOUBLE PRECISION,
    plausible_max DOUBLE PRECISION,
    decimals SMALLINT NOT NULL,
    CONSTRAINT indicator_pkey PRIMARY KEY (indicator_key),
    CONSTRAINT indicator_code_key UNIQUE (code)
);
COMMENT ON TABLE core.indicator IS 'The catalogue''s indicators, one definition each';
COMMENT ON COLUMN core.indicator.indicator_key IS 'integer key, from the catalogue';
COMMENT ON COLUMN core.indicator.code IS 'indicator code';
COMMENT ON COLUMN core.indicator.name_zh IS 'Chinese name';
COMMENT ON COLUMN core.indicator.name_en IS 'English name';
COMMENT ON COLUMN core.indicator.sector IS 'context, employment, education or health';
COMMENT ON COLUMN core.indicator.kind IS 'base (a return carries it) or derived (computed)';
COMMENT ON COLUMN core.indicator.unit IS 'unit of every stored value';
COMMENT ON COLUMN core.indicator.numerator IS 'derived: what is counted (CODE@area names another area type)';
COMMENT ON COLUMN core.indicator.denominator IS 'derived: what it is divided by';
COMMENT ON COLUMN core.indicator.multiplier IS 'derived: factor of the quotient';
COMMENT ON COLUMN core.indicator.frequency IS 'M, Q, A or S (school year)';
COMMENT ON COLUMN core.indicator.area_types IS 'area types it has, separated by ;';
COMMENT ON COLUMN core.indicator.area_definition IS 'what urban and rural mean for it';
COMMENT ON COLUMN core.indicator.finest_level IS 'finest region level';
COMMENT ON COLUMN core.indicator.direction IS 'higher or lower is better, or neutral';
COMMENT ON COLUMN core.indicator.aggregation IS 'how members make a group: sum, ratio_of_sums, weighted_mean, none';
COMMENT ON COLUMN core.indicator.is_cumulative IS 'whether a flow that is reported January-to-month';
COMMENT ON COLUMN core.indicator.is_comparable IS 'whether it may be compared between places';
COMMENT ON COLUMN core.indicator.weight_indicator IS 'indicator whose value weighs a region';
COMMENT ON COLUMN core.indicator.plausible_min IS 'values below it warn';
COMMENT ON COLUMN core.indicator.plausible_max IS 'values above it warn';
COMMENT ON COLUMN core.indicator.decimals IS 'decimals for display, never for storage';

CREATE TABLE core.inequality (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    scope TEXT NOT NULL,
    weighting TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    mean DOUBLE PRECISION,
    cv DOUBLE PRECISION,
    gini DOUBLE PRECISION,
    theil_t DOUBLE PRECISION,
    theil_t_within DOUBLE PRECISION,
    theil_t_between DOUBLE PRECISION,
    max_min_ratio DOUBLE PRECISION,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT inequality_pkey PRIMARY KEY (indicator_key, period_key, area_key, scope, weighting, release_from)
);
COMMENT ON TABLE core.inequality IS 'mart.inequality with its history by release';
COMMENT ON COLUMN core.inequality.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.inequality.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.inequality.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.inequality.scope IS 'units compared: nation:province, nation:county, 510000:county';
COMMENT ON COLUMN core.inequality.weighting IS 'none (regions as equals) or population (people)';
COMMENT ON COLUMN core.inequality.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.inequality.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.inequality.units IS 'units the measures rest on';
COMMENT ON COLUMN core.inequality.units_missing IS 'units that exist and have no value (or weight)';
COMMENT ON COLUMN core.inequality.units_estimated IS 'units whose figure is estimated';
COMMENT ON COLUMN core.inequality.coverage IS 'share of units (of weight, where weighted) that have a value';
COMMENT ON COLUMN core.inequality.mean IS '(weighted) mean';
COMMENT ON COLUMN core.inequality.cv IS 'coefficient of variation, population form';
COMMENT ON COLUMN core.inequality.gini IS 'Gini coefficient';
COMMENT ON COLUMN core.inequality.theil_t IS 'Theil T';
COMMENT ON COLUMN core.inequality.theil_t_within IS 'part of Theil T within groups';
COMMENT ON COLUMN core.inequality.theil_t_between IS 'part of Theil T between groups';
COMMENT ON COLUMN core.inequality.max_min_ratio IS 'largest over smallest';
COMMENT ON COLUMN core.inequality.grade IS 'A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.inequality.status IS 'ok, or why the measures are null';
CREATE INDEX inequality_release_from_idx ON core.inequality USING brin (release_from);
CREATE INDEX inequality_release_to_idx ON core.inequality (release_to) WHERE release_to IS NOT NULL;

CREATE TABLE core.observation (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    superseded_at TIMESTAMP WITH TIME ZONE DEFAULT 'infinity' NOT NULL,
    value DOUBLE PRECISION,
    obs_status CHAR(1) NOT NULL,
    last_digit DOUBLE PRECISION,
    receipt_id BIGINT,
    address TEXT,
    CONSTRAINT observation_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, recorded_at)
)
PARTITION BY RANGE (period_key);
COMMENT ON TABLE core.observation IS 'The fact: every vintage of every figure, reported, derived and national';
COMMENT ON COLUMN core.observation.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.observation.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.observation.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.observation.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.observation.recorded_at IS 'moment of the refresh that recorded this vintage';
COMMENT ON COLUMN core.observation.superseded_at IS 'moment of the refresh that replaced it; infinity: current';
COMMENT ON COLUMN core.observation.value IS 'figure in the indicator''s unit, as printed; null: blank (status M)';
COMMENT ON COLUMN core.observation.obs_status IS 'SDMX OBS_STATUS: A normal, P provisional, E estimated, M missing, B break, L below detection, N not significant, F forecast';
COMMENT ON COLUMN core.observation.last_digit IS 'one unit of the last printed digit, in the indicator''s unit';
COMMENT ON COLUMN core.observation.receipt_id IS 'return it comes from (ops.return_receipt); null: computed';
COMMENT ON COLUMN core.observation.address IS 'cell in the return; null: computed';

CREATE TABLE core.period (
    period_key INTEGER NOT NULL,
    period_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    CONSTRAINT period_pkey PRIMARY KEY (period_key),
    CONSTRAINT period_period_code_key UNIQUE (period_code)
);
COMMENT ON TABLE core.period IS 'Spans of time, one code each';
COMMENT ON COLUMN core.period.period_key IS 'YYYYMM of the start × 100 + months (+ 20 cumulative)';
COMMENT ON COLUMN core.period.period_code IS 'code as marts show it';
COMMENT ON COLUMN core.period.kind IS 'year, half, quarter, month, cumulative, school_year';
COMMENT ON COLUMN core.period.period_start IS 'first day';
COMMENT ON COLUMN core.period.period_end IS 'last day';

CREATE TABLE core.region (
    region_key INTEGER NOT NULL,
    region_code TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT,
    region_level TEXT NOT NULL,
    parent_code TEXT,
    region_group TEXT,
    is_county_unit BOOLEAN NOT NULL,
    valid_from DATE,
    valid_to DATE,
    CONSTRAINT region_pkey PRIMARY KEY (region_key),
    CONSTRAINT region_region_code_key UNIQUE (region_code)
);
COMMENT ON TABLE core.region IS 'Regions by code, historical ones included';
COMMENT ON COLUMN core.region.region_key IS 'the code as a number, the nation 0';
COMMENT ON COLUMN core.region.region_code IS 'code of GB/T 2260';
COMMENT ON COLUMN core.region.name_zh IS 'Chinese name';
COMMENT ON COLUMN core.region.name_en IS 'English name';
COMMENT ON COLUMN core.region.region_level IS 'nation, province, prefecture, county';
COMMENT ON COLUMN core.region.parent_code IS 'code of the region above';
COMMENT ON COLUMN core.region.region_group IS 'East, Central, West, Northeast';
COMMENT ON COLUMN core.region.is_county_unit IS 'whether it counts as one of the 2,845 county units';
COMMENT ON COLUMN core.region.valid_from IS 'first day of the code, null: before 1981';
COMMENT ON COLUMN core.region.valid_to IS 'day from which the code is no longer valid';

CREATE TABLE core.standard_value (
    standard_key SMALLINT NOT NULL,
    indicator_key SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    op TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    target_year SMALLINT,
    region_group TEXT,
    document TEXT NOT NULL,
    certainty TEXT NOT NULL,
    CONSTRAINT standard_value_pkey PRIMARY KEY (standard_key)
);
COMMENT ON TABLE core.standard_value IS 'Floors, targets and reference values, one step a row';
COMMENT ON COLUMN core.standard_value.standard_key IS 'row of the catalogue''s standards';
COMMENT ON COLUMN core.standard_value.indicator_key IS 'indicator';
COMMENT ON COLUMN core.standard_value.kind IS 'floor (binds), target (planned for a year), reference (a remark)';
COMMENT ON COLUMN core.standard_value.op IS '>= or <=';
COMMENT ON COLUMN core.standard_value.value IS 'value in the indicator''s unit';
COMMENT ON COLUMN core.standard_value.valid_from IS 'first day in force';
COMMENT ON COLUMN core.standard_value.valid_to IS 'last day in force, null: open';
COMMENT ON COLUMN core.standard_value.target_year IS 'year a target is planned for';
COMMENT ON COLUMN core.standard_value.region_group IS 'group it is for, null: all';
COMMENT ON COLUMN core.standard_value.document IS 'document it comes from';
COMMENT ON COLUMN core.standard_value.certainty IS 'how sure the catalogue is';

CREATE TABLE core.urban_rural_gap (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    urban_value DOUBLE PRECISION NOT NULL,
    rural_value DOUBLE PRECISION NOT NULL,
    ratio DOUBLE PRECISION,
    difference DOUBLE PRECISION NOT NULL,
    disadvantaged TEXT NOT NULL,
    obs_status CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT urban_rural_gap_pkey PRIMARY KEY (indicator_key, period_key, region_key, release_from)
);
COMMENT ON TABLE core.urban_rural_gap IS 'mart.urban_rural_gap with its history by release';
COMMENT ON COLUMN core.urban_rural_gap.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.urban_rural_gap.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.urban_rural_gap.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.urban_rural_gap.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.urban_rural_gap.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.urban_rural_gap.urban_value IS 'urban figure';
COMMENT ON COLUMN core.urban_rural_gap.rural_value IS 'rural figure';
COMMENT ON COLUMN core.urban_rural_gap.ratio IS 'urban / rural; null where rural <= 0';
COMMENT ON COLUMN core.urban_rural_gap.difference IS 'urban - rural';
COMMENT ON COLUMN core.urban_rural_gap.disadvantaged IS 'side that is worse off by the indicator''s direction: urban, rural, none';
COMMENT ON COLUMN core.urban_rural_gap.obs_status IS 'weakest status of the two';
COMMENT ON COLUMN core.urban_rural_gap.status IS 'ok, or why the ratio is null';
CREATE INDEX urban_rural_gap_release_from_idx ON core.urban_rural_gap USING brin (release_from);
CREATE INDEX urban_rural_gap_release_to_idx ON core.urban_rural_gap (release_to) WHERE release_to IS NOT NULL;

CREATE TABLE ops.arrival (
    arrival_id BIGINT DEFAULT nextval('ops.receipt_id_seq') NOT NULL,
    refresh_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    sector TEXT NOT NULL,
    form TEXT NOT NULL,
    region_code TEXT NOT NULL,
    period_code TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256 TEXT,
    bytes BIGINT,
    file_name TEXT,
    media_type TEXT,
    etag TEXT,
    modified_at TIMESTAMP WITH TIME ZONE,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_on DATE NOT NULL,
    is_reread BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT arrival_pkey PRIMARY KEY (arrival_id),
    CONSTRAINT arrival_platform_form_period_code_sequence_key UNIQUE (platform, form, period_code, sequence)
);
COMMENT ON TABLE ops.arrival IS 'Deliveries that are archived and not yet read: what a killed refresh left for the next';
COMMENT ON COLUMN ops.arrival.arrival_id IS 'becomes the receipt''s id';
COMMENT ON COLUMN ops.arrival.refresh_id IS 'refresh that collected it';
COMMENT ON COLUMN ops.arrival.platform IS 'province code / sector';
COMMENT ON COLUMN ops.arrival.sector IS 'employment, education or health';
COMMENT ON COLUMN ops.arrival.form IS 'form it answers';
COMMENT ON COLUMN ops.arrival.region_code IS 'province that owes it';
COMMENT ON COLUMN ops.arrival.period_code IS 'period it is of';
COMMENT ON COLUMN ops.arrival.sequence IS 'number of the delivery for this form and period, 0: none arrived';
COMMENT ON COLUMN ops.arrival.sha256 IS 'its bytes in the archive';
COMMENT ON COLUMN ops.arrival.bytes IS 'size';
COMMENT ON COLUMN ops.arrival.file_name IS 'name the platform gave it';
COMMENT ON COLUMN ops.arrival.media_type IS 'media type the platform gave it';
COMMENT ON COLUMN ops.arrival.etag IS 'entity tag, for conditional requests';
COMMENT ON COLUMN ops.arrival.modified_at IS 'modified time on the platform';
COMMENT ON COLUMN ops.arrival.fetched_at IS 'when it was fetched, or last asked for';
COMMENT ON COLUMN ops.arrival.due_on IS 'day it is due';
COMMENT ON COLUMN ops.arrival.is_reread IS 'whether a person asked to read the bytes once more; they are read, known or not';

CREATE TABLE ops.changed_slice (
    refresh_id INTEGER NOT NULL,
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    revisions INTEGER DEFAULT 0 NOT NULL,
    warnings INTEGER DEFAULT 0 NOT NULL,
    candidate INTEGER,
    release_id INTEGER,
    CONSTRAINT changed_slice_pkey PRIMARY KEY (refresh_id, indicator_key, period_key)
);
COMMENT ON TABLE ops.changed_slice IS '(indicator, period) pairs that a load changed, until a release shows them';
COMMENT ON COLUMN ops.changed_slice.refresh_id IS 'refresh that changed it';
COMMENT ON COLUMN ops.changed_slice.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN ops.changed_slice.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN ops.changed_slice.revisions IS 'figures of it that were revised';
COMMENT ON COLUMN ops.changed_slice.warnings IS 'figures of it that broke a check that warns';
COMMENT ON COLUMN ops.changed_slice.candidate IS 'coming release whose checked marts cover it; null: none yet';
COMMENT ON COLUMN ops.changed_slice.release_id IS 'release that shows the change; null: not published yet';
CREATE INDEX changed_slice_open_idx ON ops.changed_slice (refresh_id) WHERE release_id IS NULL;

CREATE TABLE ops.check_result (
    check_result_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    refresh_id INTEGER NOT NULL,
    target TEXT NOT NULL,
    subject TEXT NOT NULL,
    suite TEXT NOT NULL,
    check_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    success BOOLEAN NOT NULL,
    evaluated BIGINT NOT NULL,
    unexpected BIGINT NOT NULL,
    explanation TEXT NOT NULL,
    sample JSONB,
    receipts JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT check_result_pkey PRIMARY KEY (check_result_id)
);
COMMENT ON TABLE ops.check_result IS 'Every result of every check';
COMMENT ON COLUMN ops.check_result.check_result_id IS 'number';
COMMENT ON COLUMN ops.check_result.refresh_id IS 'refresh';
COMMENT ON COLUMN ops.check_result.target IS 'form or mart that was checked';
COMMENT ON COLUMN ops.check_result.subject IS 'family of the check: structure, codes, ranges, units, arithmetic, keys, values, measures';
COMMENT ON COLUMN ops.check_result.suite IS 'suite of expectations';
COMMENT ON COLUMN ops.check_result.check_id IS 'check';
COMMENT ON COLUMN ops.check_result.severity IS 'blocking, warning or info';
COMMENT ON COLUMN ops.check_result.success IS 'whether it holds';
COMMENT ON COLUMN ops.check_result.evaluated IS 'rows looked at';
COMMENT ON COLUMN ops.check_result.unexpected IS 'rows that do not hold';
COMMENT ON COLUMN ops.check_result.explanation IS 'what the check means and what was found';
COMMENT ON COLUMN ops.check_result.sample IS 'up to five of those rows';
COMMENT ON COLUMN ops.check_result.receipts IS 'receipts that have such rows';
COMMENT ON COLUMN ops.check_result.created_at IS 'when';
CREATE INDEX check_result_refresh_id_idx ON ops.check_result (refresh_id);

CREATE TABLE ops.platform_failure (
    refresh_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    message TEXT NOT NULL,
    CONSTRAINT platform_failure_pkey PRIMARY KEY (refresh_id, platform)
);
COMMENT ON TABLE ops.platform_failure IS 'Platforms that could not be asked what they offer';
COMMENT ON COLUMN ops.platform_failure.refresh_id IS 'refresh';
COMMENT ON COLUMN ops.platform_failure.platform IS 'province code / sector';
COMMENT ON COLUMN ops.platform_failure.asked_at IS 'when it was asked';
COMMENT ON COLUMN ops.platform_failure.message IS 'why it could not be asked';

CREATE TABLE ops.platform_incident (
    refresh_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    message TEXT NOT NULL,
    CONSTRAINT platform_incident_pkey PRIMARY KEY (refresh_id, platform, kind)
);
COMMENT ON TABLE ops.platform_incident IS 'Trouble with a platform that was overcome: waiting, asking again, going on where an answer broke off';
COMMENT ON COLUMN ops.platform_incident.refresh_id IS 'refresh';
COMMENT ON COLUMN ops.platform_incident.platform IS 'province code / sector';
COMMENT ON COLUMN ops.platform_incident.kind IS 'kind of trouble in one word';
COMMENT ON COLUMN ops.platform_incident.count IS 'how often';
COMMENT ON COLUMN ops.platform_incident.first_at IS 'when it was first met';
COMMENT ON COLUMN ops.platform_incident.last_at IS 'when it was last met';
COMMENT ON COLUMN ops.platform_incident.message IS 'the last one in a sentence';

CREATE TABLE ops.quarantine_waiver (
    sha256 TEXT NOT NULL,
    check_id TEXT NOT NULL,
    operator TEXT NOT NULL,
    why TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT quarantine_waiver_pkey PRIMARY KEY (sha256, check_id)
);
COMMENT ON TABLE ops.quarantine_waiver IS 'Returns that a person let pass although a blocking check holds them back; of these very bytes only';
COMMENT ON COLUMN ops.quarantine_waiver.sha256 IS 'bytes of the return in the archive';
COMMENT ON COLUMN ops.quarantine_waiver.check_id IS 'blocking check that no longer holds it back';
COMMENT ON COLUMN ops.quarantine_waiver.operator IS 'who let it pass';
COMMENT ON COLUMN ops.quarantine_waiver.why IS 'the reason given';
COMMENT ON COLUMN ops.quarantine_waiver.created_at IS 'when';

CREATE TABLE ops.unplaced_file (
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    refresh_id INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    reason TEXT NOT NULL,
    explanation TEXT NOT NULL,
    explanation_zh TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT unplaced_file_pkey PRIMARY KEY (sha256, file_name)
);
COMMENT ON TABLE ops.unplaced_file IS 'Files of the inbox that name no platform, form and period: archived, and waiting for a person';
COMMENT ON COLUMN ops.unplaced_file.sha256 IS 'its bytes in the archive';
COMMENT ON COLUMN ops.unplaced_file.file_name IS 'name under which it lay in the inbox';
COMMENT ON COLUMN ops.unplaced_file.refresh_id IS 'refresh that found it';
COMMENT ON COLUMN ops.unplaced_file.bytes IS 'size';
COMMENT ON COLUMN ops.unplaced_file.reason IS 'reason in one word';
COMMENT ON COLUMN ops.unplaced_file.explanation IS 'reason in a sentence';
COMMENT ON COLUMN ops.unplaced_file.explanation_zh IS 'reason in a sentence, in Chinese';
COMMENT ON COLUMN ops.unplaced_file.created_at IS 'when it was set aside';
COMMENT ON COLUMN ops.unplaced_file.resolved_at IS 'when the same bytes could be placed';

CREATE TABLE ops.quarantine (
    quarantine_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    receipt_id BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    address TEXT NOT NULL,
    raw_text TEXT,
    reason TEXT NOT NULL,
    explanation TEXT NOT NULL,
    explanation_zh TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id)
);
COMMENT ON TABLE ops.quarantine IS 'Every cell and return that could not be used, with the reason';
COMMENT ON COLUMN ops.quarantine.quarantine_id IS 'number';
COMMENT ON COLUMN ops.quarantine.receipt_id IS 'receipt (ops.return_receipt)';
COMMENT ON COLUMN ops.quarantine.sha256 IS 'bytes of the return in the archive';
COMMENT ON COLUMN ops.quarantine.address IS 'cell; empty: the whole return';
COMMENT ON COLUMN ops.quarantine.raw_text IS 'what stands there';
COMMENT ON COLUMN ops.quarantine.reason IS 'reason in one word';
COMMENT ON COLUMN ops.quarantine.explanation IS 'reason in a sentence';
COMMENT ON COLUMN ops.quarantine.explanation_zh IS 'reason in a sentence, in Chinese';
COMMENT ON COLUMN ops.quarantine.created_at IS 'when it was set aside';
COMMENT ON COLUMN ops.quarantine.resolved_at IS 'when a later delivery of the return replaced it';
CREATE INDEX quarantine_receipt_id_idx ON ops.quarantine (receipt_id);

CREATE TABLE ops.refresh (
    refresh_id SERIAL NOT NULL,
    run_id TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    status TEXT NOT NULL,
    release_id INTEGER,
    catalogue_sha256 TEXT NOT NULL,
    summary JSONB,
    CONSTRAINT refresh_pkey PRIMARY KEY (refresh_id),
    CONSTRAINT refresh_run_id_key UNIQUE (run_id),
    CONSTRAINT refresh_recorded_at_key UNIQUE (recorded_at)
);
COMMENT ON TABLE ops.refresh IS 'One run from platforms to release';
COMMENT ON COLUMN ops.refresh.refresh_id IS 'number of the refresh';
COMMENT ON COLUMN ops.refresh.run_id IS 'Dagster run';
COMMENT ON COLUMN ops.refresh.started_at IS 'when it began';
COMMENT ON COLUMN ops.refresh.recorded_at IS 'moment its observations are recorded at';
COMMENT ON COLUMN ops.refresh.finished_at IS 'when it ended';
COMMENT ON COLUMN ops.refresh.status IS 'running, published, unchanged, failed, or incomplete (killed, or only part of the assets was run)';
COMMENT ON COLUMN ops.refresh.release_id IS 'release that first shows what it loaded';
COMMENT ON COLUMN ops.refresh.catalogue_sha256 IS 'hash of the catalogue it used';
COMMENT ON COLUMN ops.refresh.summary IS 'counts of the run';

CREATE TABLE ops.release (
    release_id INTEGER NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    refresh_id INTEGER NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status TEXT NOT NULL,
    observations BIGINT NOT NULL,
    revisions BIGINT NOT NULL,
    checks_passed INTEGER NOT NULL,
    checks_warned INTEGER NOT NULL,
    checks_failed INTEGER NOT NULL,
    marts_sha256 TEXT NOT NULL,
    catalogue_sha256 TEXT NOT NULL,
    CONSTRAINT release_pkey PRIMARY KEY (release_id)
);
COMMENT ON TABLE ops.release IS 'Published states of the marts';
COMMENT ON COLUMN ops.release.release_id IS 'number of the release';
COMMENT ON COLUMN ops.release.published_at IS 'when it went live';
COMMENT ON COLUMN ops.release.refresh_id IS 'refresh that made it';
COMMENT ON COLUMN ops.release.recorded_at IS 'observations recorded up to here are in it';
COMMENT ON COLUMN ops.release.status IS 'published or withdrawn';
COMMENT ON COLUMN ops.release.observations IS 'rows of mart.observation';
COMMENT ON COLUMN ops.release.revisions IS 'figures revised since the release before';
COMMENT ON COLUMN ops.release.checks_passed IS 'checks that passed';
COMMENT ON COLUMN ops.release.checks_warned IS 'checks that warned';
COMMENT ON COLUMN ops.release.checks_failed IS 'blocking checks that failed (their returns were held back)';
COMMENT ON COLUMN ops.release.marts_sha256 IS 'hash of the marts'' contents';
COMMENT ON COLUMN ops.release.catalogue_sha256 IS 'hash of the catalogue it was computed with';

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

CREATE TABLE ops.return_receipt (
    receipt_id BIGINT DEFAULT nextval('ops.receipt_id_seq') NOT NULL,
    refresh_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    sector TEXT NOT NULL,
    form TEXT NOT NULL,
    region_code TEXT NOT NULL,
    period_code TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sha256 TEXT,
    bytes BIGINT,
    file_name TEXT,
    media_type TEXT,
    etag TEXT,
    modified_at TIMESTAMP WITH TIME ZONE,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_on DATE NOT NULL,
    state TEXT NOT NULL,
    cells INTEGER DEFAULT 0 NOT NULL,
    loaded INTEGER DEFAULT 0 NOT NULL,
    unchanged INTEGER DEFAULT 0 NOT NULL,
    quarantined INTEGER DEFAULT 0 NOT NULL,
    message TEXT,
    layout TEXT,
    CONSTRAINT return_receipt_pkey PRIMARY KEY (receipt_id),
    CONSTRAINT return_receipt_platform_form_period_code_sequence_key UNIQUE (platform, form, period_code, sequence)
);
COMMENT ON TABLE ops.return_receipt IS 'The ledger: one row a delivery; sequence 0 stands for a return that is missing or failed';
COMMENT ON COLUMN ops.return_receipt.receipt_id IS 'number of the receipt';
COMMENT ON COLUMN ops.return_receipt.refresh_id IS 'refresh that collected it';
COMMENT ON COLUMN ops.return_receipt.platform IS 'province code / sector';
COMMENT ON COLUMN ops.return_receipt.sector IS 'employment, education or health';
COMMENT ON COLUMN ops.return_receipt.form IS 'form it answers';
COMMENT ON COLUMN ops.return_receipt.region_code IS 'province that owes it';
COMMENT ON COLUMN ops.return_receipt.period_code IS 'period it is of';
COMMENT ON COLUMN ops.return_receipt.sequence IS 'number of the delivery for this form and period, 0: none arrived';
COMMENT ON COLUMN ops.return_receipt.sha256 IS 'its bytes in the archive';
COMMENT ON COLUMN ops.return_receipt.bytes IS 'size';
COMMENT ON COLUMN ops.return_receipt.file_name IS 'name the platform gave it';
COMMENT ON COLUMN ops.return_receipt.media_type IS 'media type the platform gave it';
COMMENT ON COLUMN ops.return_receipt.etag IS 'entity tag, for conditional requests';
COMMENT ON COLUMN ops.return_receipt.modified_at IS 'modified time on the platform';
COMMENT ON COLUMN ops.return_receipt.fetched_at IS 'when it was fetched, or last asked for';
COMMENT ON COLUMN ops.return_receipt.due_on IS 'day it is due';
COMMENT ON COLUMN ops.return_receipt.state IS 'loaded, unchanged, quarantined, partly_quarantined, failed or missing';
COMMENT ON COLUMN ops.return_receipt.cells IS 'cells read = loaded + unchanged + quarantined';
COMMENT ON COLUMN ops.return_receipt.loaded IS 'cells that made a new vintage';
COMMENT ON COLUMN ops.return_receipt.unchanged IS 'cells that say what was known';
COMMENT ON COLUMN ops.return_receipt.quarantined IS 'cells set aside with a reason';
COMMENT ON COLUMN ops.return_receipt.message IS 'what happened, where something did';
COMMENT ON COLUMN ops.return_receipt.layout IS 'layout and version it was read by';

CREATE TABLE ops.slice_digest (
    mart TEXT NOT NULL,
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    rows INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    CONSTRAINT slice_digest_pkey PRIMARY KEY (mart, indicator_key, period_key, release_from)
);
COMMENT ON TABLE ops.slice_digest IS 'Hash of each (mart, indicator, period): a release''s hash is made of those in force';
COMMENT ON COLUMN ops.slice_digest.mart IS 'mart';
COMMENT ON COLUMN ops.slice_digest.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN ops.slice_digest.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN ops.slice_digest.release_from IS 'first release that shows this row';
COMMENT ON COLUMN ops.slice_digest.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN ops.slice_digest.rows IS 'rows of the slice';
COMMENT ON COLUMN ops.slice_digest.sha256 IS 'hash of the slice''s contents';
CREATE INDEX slice_digest_release_from_idx ON ops.slice_digest USING brin (release_from);
CREATE INDEX slice_digest_release_to_idx ON ops.slice_digest (release_to) WHERE release_to IS NOT NULL;

CREATE UNLOGGED TABLE staging.observation (
    arrival_id BIGINT,
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    value DOUBLE PRECISION,
    obs_status CHAR(1) NOT NULL,
    last_digit DOUBLE PRECISION,
    address TEXT
);
COMMENT ON TABLE staging.observation IS 'What is being loaded, emptied before each load';
COMMENT ON COLUMN staging.observation.arrival_id IS 'delivery';
COMMENT ON COLUMN staging.observation.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN staging.observation.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN staging.observation.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN staging.observation.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN staging.observation.value IS 'figure';
COMMENT ON COLUMN staging.observation.obs_status IS 'status';
COMMENT ON COLUMN staging.observation.last_digit IS 'one unit of the last printed digit';
COMMENT ON COLUMN staging.observation.address IS 'cell';
