DROP VIEW mart.reform_milestone_summary, mart.reform_milestone, core.milestone_series;
DROP TABLE core.milestone;
