-- raw_ingest: a topic of JSON objects, stored as it comes: one object a line.
--
-- Input   topic raw-events, or another: change 'topic' below. Records are not looked into.
-- Output  dfs:///raw/: one line for each record, readable with `dfs cat`; line ends inside a record,
--         which JSON has only between its parts, become blanks. Tombstones are left out.
--
-- `--brokers` says which Kafka, unless the table has 'properties.bootstrap.servers'.

CREATE TABLE raw_events (
  record STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'raw-events',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
);

CREATE TABLE raw_files (
  line STRING
) WITH (
  'connector' = 'filesystem',
  'path' = 'dfs:///raw/',
  'format' = 'raw'
);

INSERT INTO raw_files
SELECT REGEXP_REPLACE(record, '[\r\n]+', ' ')
FROM raw_events
WHERE record IS NOT NULL;
