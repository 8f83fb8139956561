-- Measures as data: when each is null and what it is not for.

CREATE TABLE core.measure (
    mart      TEXT NOT NULL,
    measure   TEXT NOT NULL,
    name_zh   TEXT NOT NULL,
    name_en   TEXT NOT NULL,
    columns   TEXT NOT NULL,
    unit      TEXT NOT NULL,
    null_when TEXT NOT NULL,
    not_for   TEXT NOT NULL,
    CONSTRAINT measure_pkey PRIMARY KEY (mart, measure)
);
COMMENT ON TABLE core.measure IS 'Measures of the marts: where they stand, when they are null, and what they are not for';
COMMENT ON COLUMN core.measure.mart IS 'mart that has it';
COMMENT ON COLUMN core.measure.measure IS 'function that computes it (docs/methods.md has its formula)';
COMMENT ON COLUMN core.measure.name_zh IS 'Chinese name';
COMMENT ON COLUMN core.measure.name_en IS 'English name';
COMMENT ON COLUMN core.measure.columns IS 'columns of the mart that hold it, separated by ;';
COMMENT ON COLUMN core.measure.unit IS 'unit, of each column where they differ';
COMMENT ON COLUMN core.measure.null_when IS 'statuses of a row in which it is null, separated by ;';
COMMENT ON COLUMN core.measure.not_for IS 'what it must not be used for';

CREATE VIEW mart.measure AS
SELECT m.mart, m.measure, m.name_zh, m.name_en, m.columns, m.unit, m.null_when, m.not_for
FROM core.measure m;
COMMENT ON VIEW mart.measure IS 'Measures of the marts: where they stand, when they are null, and what they are not for';
